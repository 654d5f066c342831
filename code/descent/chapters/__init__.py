"""What belongs to one chapter of the book, a folder for each.

A chapter's ``theory`` holds the closed forms that it derives: the oracle its experiments are judged
by. Nothing there runs an optimizer, and nothing there is used by one. Its ``exercises`` are the
checkers that its lab calls, and its ``lab`` says what the lab takes.
"""
