"""What all data modules share."""


class DataUnavailable(RuntimeError):
    """The data set is neither on disk nor can be fetched."""
