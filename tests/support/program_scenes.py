"""Made-up readings: files in Java, people who look by a known program."""

import numpy as np

import gazecode as gc
from gazecode.agreement.programs import PROGRAMS, TRANSITION_PROGRAMS, Known, Observed
from gazecode.model import Transitions


def files(n=6):
    """Functions that share no name, so that no text of one is known from another."""
    return {
        f"file{i}": gc.parse(
            f"int f{i}(int[] xs{i}, int lim{i}) {{\n"
            f"  int acc{i} = {i};\n"
            f"  for (int k{i} = 0; k{i} < xs{i}.length; k{i}++) {{\n"
            f"    if (xs{i}[k{i}] > lim{i}) acc{i} += call{i}(xs{i}[k{i}]);\n"
            f"  }}\n  return acc{i} * {i + 2};\n}}\n",
            language="java",
        )
        for i in range(n)
    }


def saccades(tokens, matrix, n, rng):
    """`n` saccades of a chain that follows a program's matrix, from anywhere where it says nothing."""
    m = len(tokens)
    counts, at = np.zeros((m, m)), int(rng.integers(m))
    for _ in range(n):
        row = matrix[at] if matrix[at].sum() else np.ones(m)
        there = int(rng.choice(m, p=row / row.sum()))
        if matrix[at].sum():
            counts[at, there] += 1
        at = there
    origin, target = np.nonzero(counts)
    return Transitions(size=m, origin=origin, target=target, count=counts[origin, target])


def readers(
    program, *, moves="next_identifier", people=4, n_files=6, noise=0.3, seed=0, reads=None
):
    """People who look by a program of maps and move by one of saccades, some of the time."""
    rng = np.random.default_rng(seed)
    look = PROGRAMS[program] if isinstance(program, str) else program
    found = []
    for source, tokens in files(n_files).items():
        wanted = np.asarray(look(tokens, Known()), dtype=float)
        matrix = TRANSITION_PROGRAMS[moves](tokens, Known())
        for who in range(people):
            if reads is not None and not reads(who, source):
                continue
            value = wanted / max(wanted.max(), 1e-9) + noise * rng.random(len(tokens))
            share = (1 - noise) * matrix + noise * matrix.sum(1, keepdims=True) / len(tokens)
            found.append(
                Observed(
                    person=f"P{who}",
                    source=source,
                    tokens=tokens,
                    value=200 * value,
                    transitions=saccades(tokens, share, 120, rng),
                )
            )
    return found
