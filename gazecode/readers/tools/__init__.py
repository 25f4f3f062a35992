"""What every reader stands on: text in blocks, columns, XML, JSON, HDF5, samples, trials."""
