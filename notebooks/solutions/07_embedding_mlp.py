"""Solutions to the exercises of notebook 07; each takes the place of the function in its cell."""

import numpy as np


def n_weights(sizes, dim, n_numbers, hidden):
    """Exercise 1: the tables, then (inputs + 1) * units for each layer, the last unit included."""
    widths = [len(sizes) * dim + n_numbers, *hidden, 1]
    layers = sum((widths[i] + 1) * widths[i + 1] for i in range(len(widths) - 1))
    return sum(sizes) * dim + layers


def loss_of_logit(z, y):
    """Exercise 2: -log p is log(1 + e^-z), and -log(1 - p) is log(1 + e^z)."""
    return y * np.logaddexp(0, -z) + (1 - y) * np.logaddexp(0, z)


def table_gradient(codes, of_vectors, n_rows):
    """Exercise 3: the gradients of one code add up."""
    gradient = np.zeros((n_rows, of_vectors.shape[1]))
    np.add.at(gradient, codes, of_vectors)
    gradient[0] = 0
    return gradient


def descend(w, gradient, rate):
    """Exercise 4: against the gradient."""
    return {name: each - rate * gradient[name] for name, each in w.items()}


def hide(codes, column, rate, rng):
    """Exercise 5: each row is drawn for itself."""
    hidden_codes = codes.copy()
    hidden_codes[rng.random(len(codes)) < rate, column] = 0
    return hidden_codes


def auc_of_pairs(labels, scores):
    """Exercise 6: all pairs at once."""
    above = scores[labels == 1][:, None] - scores[labels == 0]
    return ((above > 0) + 0.5 * (above == 0)).mean()


def shifted(scores, share):
    """Exercise 7: the mean rises with the constant, so the search can halve its range."""
    logit, low, high = np.log(scores / (1 - scores)), -20.0, 20.0
    for _ in range(60):
        middle = (low + high) / 2
        if (1 / (1 + np.exp(-logit - middle))).mean() < share:
            low = middle
        else:
            high = middle
    return 1 / (1 + np.exp(-logit - middle))
