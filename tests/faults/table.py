"""The rows of the table of faults."""

# The faults, in the order of the list that this project promises to withstand.
FAULTS = dict(
    enumerate(
        """unknown config key
unknown loss, model or data option
lr=abc
lr=-1, lr=nan
trainer.devices= (empty)
batch_size=0
batch larger than the set
latent_dim=0
negative clip, penalty weight, half-life
max_epochs=-5 or 0
more devices than cores
GPU asked for, none there
devices=2 with the default strategy
multirun with devices=2
seed -1, 2^32
no data, no network
connection reset half-way
killed while unpacking
truncated, empty or wrong-magic IDX file
right shape, wrong content
fewer labels than images; label 200
class list empty, duplicate, out of range
empty data set
read-only data folder
outputs folder not writable
disk full while saving
kill -9 at any moment, then resume
truncated checkpoint
HTML or text as a checkpoint
one flipped byte
checkpoint of another architecture
resume file missing
resume of a finished run
NaN or infinite loss
SIGTERM
Ctrl-C
SIGTERM to one rank
kill -9 of either rank
two runs in one folder
a job of a sweep fails
num_samples=1000000000
out of memory
planted pickle, _target_ or _instantiator
label of an unconditional model; out of range
output of sample exists""".splitlines(),
        start=1,
    )
)
