"""Image folders turned into shards, the files of data=shards."""
