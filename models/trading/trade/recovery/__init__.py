"""A trade that starts anew from the record, is opened again, or asks again."""
