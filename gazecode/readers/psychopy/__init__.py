"""PsychoPy ioHub HDF5."""
