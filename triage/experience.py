"""What a desk's history teaches about its articles: which one helps with what, and how often."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ArticleUse:
    """How often an article was used, and how often the ticket then ended well.

    Well is: resolved by the tier the article is written for, or a lower one, and not reopened.
    """

    solved: int
    tried: int


@dataclass(frozen=True, slots=True)
class Experience:
    """What was learned about articles; empty where the history names none.

    ``weights`` of shape (n_features, n_articles) say how much a feature of a ticket speaks for each
    of the ``articles`` (their ids): log-likelihoods of a complement naive Bayes, up to what is the
    same for all articles. ``uses`` counts outcomes by article id.
    """

    articles: tuple[str, ...] = ()
    weights: sp.csr_matrix | None = None
    uses: Mapping[str, ArticleUse] = field(default_factory=dict)

    def speak(self, matrix: sp.csr_matrix) -> FloatArray:
        """Weigh each known article for tickets, given as rows of the model's features.

        Returns
        -------
        ndarray of shape (n_tickets, n_articles); rows have mean 0, so that an article that nothing
        is known of would count as an average one
        """
        if self.weights is None:
            return np.zeros((matrix.shape[0], 0))
        spoken = np.asarray((matrix @ self.weights).todense(), dtype=np.float64)
        centred: FloatArray = spoken - spoken.mean(axis=1, keepdims=True)
        return centred
