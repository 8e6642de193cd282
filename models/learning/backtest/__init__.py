"""What a strategy would really have done: two engines, one set of fill rules, honest figures."""
