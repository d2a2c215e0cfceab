"""The errors whose message is for the person at the keyboard: printed without a traceback."""


class UserError(Exception):
    """Bad input or configuration, in a sentence naming the key or file and the fix: status 2."""


class RunError(Exception):
    """A run that started well and could not go on, in a sentence with what to try: status 1."""
