"""Training, predicting, saving and loading with the columns of a person's own table."""
