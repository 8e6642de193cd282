"""Roles of the processes, and the functions by which they write what is governed."""
