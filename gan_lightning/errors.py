"""The errors whose message is meant for the person at the keyboard."""


class UserError(Exception):
    """Bad input or configuration: one clear sentence naming the key or file and the fix.

    Commands print it without a traceback and exit with status 2.
    """


class RunError(Exception):
    """A run that started well and could not go on: one clear sentence, with what to try.

    Commands print it without a traceback and exit with status 1.
    """
