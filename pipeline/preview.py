"""The contact sheet of `fanbeam preview`: a few training records, their copies beside them, and what was done."""



