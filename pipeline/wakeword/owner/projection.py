"""From statistics of an encoder's states to a vector of the voice: a linear projection that keeps what tells speakers
apart and takes back what changes within one (linear discriminant analysis after PCA, as for i-vectors: Dehak et al.
2011)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.metrics.detection import Curve, roc

Vectors = NDArray[np.float32]


@dataclass(frozen=True)
class Projection:
    """`mean` [n_in] is taken off before `matrix` [n_in, n_out]."""

    mean: Vectors
    matrix: Vectors

    def __call__(self, statistics: Vectors) -> Vectors:
        """[n, n_in] to vectors of length one [n, n_out], whose dot products are cosines."""
        vectors = (statistics - self.mean) @ self.matrix
        return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9), dtype=np.float32)


def statistics_of(layers: Vectors, states: tuple[int, ...]) -> Vectors:
    """Mean and standard deviation over time of some of the encoder's states [n_states, T, W]: [2 * len(states) * W]."""
    chosen = layers[list(states)]
    return np.concatenate([chosen.mean(axis=1), chosen.std(axis=1)], axis=1).ravel().astype(np.float32)


def learn_projection(statistics: Vectors, speakers: NDArray[np.str_], n_pca: int, n_out: int) -> Projection:
    """Of statistics [n, n_in] and their speakers [n]."""
    from sklearn.decomposition import PCA
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    mean, std = statistics.mean(axis=0), statistics.std(axis=0) + 1e-6
    scaled = (statistics - mean) / std
    pca = PCA(n_pca, svd_solver="randomized", random_state=0).fit(scaled)
    lda = LinearDiscriminantAnalysis(solver="eigen", shrinkage="auto", n_components=n_out)
    lda.fit(pca.transform(scaled), speakers)
    matrix = (pca.components_.T @ lda.scalings_[:, :n_out]) / std[:, None]
    return Projection(mean.astype(np.float32), matrix.astype(np.float32))


@dataclass(frozen=True)
class Trials:
    """`scores` [n], cosines between an enrolled voice and a take; whether both are of one speaker; the speakers that
    were enrolled and tested [n]."""

    scores: NDArray[np.float64]
    same: NDArray[np.bool_]
    enrolled: NDArray[np.str_]
    tested: NDArray[np.str_]

    @property
    def curve(self) -> Curve:
        return roc(self.scores, self.same)


def enrolled_voice(vectors: Vectors) -> Vectors:
    """The mean of the takes' vectors [n, n_out], of length one."""
    mean = vectors.mean(axis=0)
    return np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-9), dtype=np.float32)


def likeness(vectors: Vectors) -> Vectors:
    """Of each take [n], its mean cosine with the other ones, however many there are: what many voices have in common
    (the word, the room) adds up in the mean of their vectors, which each of them is then like."""
    return np.asarray(((vectors @ vectors.T).sum(axis=1) - 1.0) / (len(vectors) - 1), dtype=np.float32)


def trials(vectors: Vectors, speakers: NDArray[np.str_], n_takes: int, seed: int = 0) -> Trials:
    """Each speaker is enrolled with `n_takes` of their takes, drawn by chance, and compared with all other takes."""
    draw = np.random.default_rng(seed)
    voices, rest = {}, []
    for speaker in np.unique(speakers):
        takes = draw.permutation(np.flatnonzero(speakers == speaker))
        voices[str(speaker)] = enrolled_voice(vectors[takes[:n_takes]])
        rest += takes[n_takes:].tolist()
    names = np.array(list(voices))
    scores = vectors[rest] @ np.stack(list(voices.values())).T  # [n_rest, n_speakers]
    tested = np.repeat(speakers[rest], len(names))
    enrolled = np.tile(names, len(rest))
    return Trials(scores.ravel().astype(np.float64), tested == enrolled, enrolled, tested)


def threshold_at_equal_error(curve: Curve) -> float:
    """The cosine at which as many of one's own takes are refused as others' are accepted."""
    place = int(np.argmin(np.abs(curve.fpr - (1.0 - curve.tpr))))
    return float(min(1.0, curve.thresholds[place]))
