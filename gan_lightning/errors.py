"""The one kind of error whose message is meant for the person at the keyboard."""


class UserError(Exception):
    """Bad input or configuration: one clear sentence naming the key or file and the fix.

    Commands print it without a traceback and exit with status 2.
    """
