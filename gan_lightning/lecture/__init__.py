"""The lecture, runnable: `python -m gan_lightning.lecture`; docs/lecture.md."""
