"""Published results on the test split of speechocean762, from the papers; PCC unless the name says otherwise.

The figures are over all 2,500 test utterances; ours are over the part of them that is at hand, which is stated wherever
both are shown. What a paper, or its code, does not say stays open: sizes are not guessed.
"""

from dataclasses import dataclass
from functools import partial

from pipeline.i18n import N_

N_TEST = 2500  # utterances of the test split
MB_PER_MILLION = {16: 2.0, 32: 4.0}  # bits per weight, as the weights are published


@dataclass(frozen=True)
class Making:
    """What a system is made of: the `encoder` that hears, its `size` in words with the megabytes of all weights where
    they are known (`size_mb`; `at_least` where only a part is), what its checkpoint was `selected` on, and what is
    `public`. Empty where it is not stated."""

    encoder: str = ""
    size: str = ""
    size_mb: float | None = None
    at_least: bool = False
    selected: str = ""
    public: str = ""


@dataclass(frozen=True)
class SystemResult:
    """Figures of one system on `n` utterances: PCC with the reference scores unless the name says otherwise, None where
    there is no figure. `told` says whether the system knows the text (None: the question makes no sense); `short_name`
    is for where the whole name has no room."""

    system: str
    source: str
    accuracy: float | None = None
    fluency: float | None = None
    prosodic: float | None = None
    total: float | None = None
    word: float | None = None
    phone: float | None = None
    mdd_f1: float | None = None
    phone_match_f1: float | None = None
    per: float | None = None
    wer: float | None = None
    told: bool | None = None
    n: int = 0
    short_name: str = ""
    making: Making = Making()


@dataclass(frozen=True)
class Table3Row:
    """A row of Table 3 of arXiv 2509.02915, on the whole test split. `f1`, `precision` and `recall` match phones."""

    trained: str
    epoch: int
    accuracy_pcc: float
    fluency_pcc: float
    prosodic_pcc: float
    total_pcc: float
    wer: float
    per: float
    f1: float
    precision: float
    recall: float


TABLE3: tuple[Table3Row, ...] = (
    Table3Row("none", 0, -0.041, -0.017, -0.0493, -0.104, 0.97, 0.792, 0.143, 0.154, 0.134),
    Table3Row("LoRA", 1, 0.547, 0.585, 0.567, 0.544, 0.150, 0.137, 0.686, 0.689, 0.682),
    Table3Row("LoRA", 2, 0.637, 0.726, 0.709, 0.662, 0.139, 0.118, 0.722, 0.725, 0.719),
    Table3Row("LoRA", 3, 0.656, 0.727, 0.711, 0.675, 0.140, 0.114, 0.724, 0.728, 0.721),
    Table3Row("LoRA", 4, 0.645, 0.733, 0.714, 0.668, 0.148, 0.121, 0.721, 0.723, 0.720),
    Table3Row("unfrozen", 1, 0.535, 0.559, 0.564, 0.550, 0.159, 0.199, 0.575, 0.579, 0.570),
    Table3Row("unfrozen", 2, 0.624, 0.668, 0.653, 0.634, 0.145, 0.154, 0.651, 0.651, 0.651),
    Table3Row("unfrozen", 3, 0.621, 0.669, 0.655, 0.637, 0.148, 0.150, 0.663, 0.665, 0.662),
    Table3Row("unfrozen", 4, 0.743, 0.717, 0.704, 0.666, 0.142, 0.142, 0.667, 0.671, 0.663),
)

# Correlation of an utterance's PER with the accuracy that the experts gave, and with the predicted one (its Figure 5).
PAPER_PER_ACCURACY = {"reference": -0.4463, "predicted": -0.3543}

PAPER_EPOCH = next(row for row in TABLE3 if (row.trained, row.epoch) == ("LoRA", 3))
_published = partial(SystemResult, told=True, n=N_TEST)
PAPER = _published(
    N_("Phi-4 + LoRA, epoch 3 (the paper this project reproduces)"), "arXiv 2509.02915",
    PAPER_EPOCH.accuracy_pcc, PAPER_EPOCH.fluency_pcc, PAPER_EPOCH.prosodic_pcc, PAPER_EPOCH.total_pcc,
    phone_match_f1=PAPER_EPOCH.f1, per=PAPER_EPOCH.per, wer=PAPER_EPOCH.wer, told=False,
    short_name=N_("Phi-4 + LoRA (the paper)"),
    making=Making(
        N_("the model's own speech encoder"), N_("5,600 M parameters"), 5600 * MB_PER_MILLION[16],
        selected=N_("test: every epoch is reported on it"), public=N_("the base model"),
    ),
)  # fmt: skip
ON_TEST = N_("test: the code keeps the epoch with the lowest phone error there")
BEST_EPOCHS = N_("best epochs are reported")
THREE_LARGE = N_("GOP features and three large self-supervised encoders")
OVER_A_BILLION = N_("over 1,000 M parameters")
GOP = N_("GOP features of a Kaldi acoustic model")
PUBLISHED: tuple[SystemResult, ...] = (
    _published(
        N_("Kaldi GOP features, SVR"), "Zhang et al. 2021", phone=0.45, making=Making(GOP, public=N_("code"))
    ),
    _published(
        "GOPT", "Gong et al. 2022", 0.714, 0.753, 0.760, 0.742, 0.533, 0.612,
        making=Making(GOP, N_("27 k parameters beside the acoustic model"), selected=ON_TEST,
                      public=N_("code, weights")),
    ),
    _published(
        "HiPAMA", "Do et al. 2023", 0.730, 0.749, 0.751, 0.754, 0.575, 0.616, making=Making(GOP, public=N_("code"))
    ),
    _published(
        "3M", "Chao et al. 2022", 0.760, 0.828, 0.827, 0.796, 0.598, 0.656,
        making=Making(N_("GOP features and three self-supervised encoders")),
    ),
    _published("HierCB + ConPCO", "Yan et al. 2024", 0.780, 0.830, 0.823, 0.803, 0.669, 0.701),
    _published(
        "HMamba", "Chao and Chen 2025", 0.807, 0.848, 0.843, 0.829, 0.708, 0.739, 0.639, per=0.027,
        making=Making(THREE_LARGE, OVER_A_BILLION, 1000 * MB_PER_MILLION[32], True, ON_TEST, N_("code")),
    ),
    _published(
        "MuFFIN", "Yan et al. 2025", 0.807, 0.841, 0.832, 0.830, 0.705, 0.742, 0.660, per=0.024,
        making=Making(THREE_LARGE, OVER_A_BILLION, 1000 * MB_PER_MILLION[32], True, BEST_EPOCHS),
    ),
    _published(
        N_("MuFFIN, weighted by rarity"), "Yan et al. 2025", mdd_f1=0.680, per=0.023,
        short_name=N_("MuFFIN, reweighted"),
        making=Making(THREE_LARGE, OVER_A_BILLION, 1000 * MB_PER_MILLION[32], True, BEST_EPOCHS),
    ),
    _published(
        N_("HiPPO, read aloud"), "HiPPO", 0.791, 0.845, 0.837, 0.816, 0.630, 0.657,
        making=Making(selected=BEST_EPOCHS),
    ),
    _published(
        N_("HiPPO, without the text"), "HiPPO", 0.733, 0.806, 0.797, 0.754, 0.520, 0.480, told=False,
        making=Making("Whisper-large-v3", N_("1,550 M parameters of Whisper and more"), 1550 * MB_PER_MILLION[16],
                      True, BEST_EPOCHS),
    ),
    _published(
        "M3C", "M3C", total=0.816, making=Making(N_("three encoders"), selected=ON_TEST, public=N_("code"))
    ),
    _published(
        "Gemma 4 12B + LoRA", N_("a public repository's own report, one seed"), 0.785, 0.788, 0.781, 0.821, 0.727,
        0.743, making=Making("Gemma 4", N_("12,000 M parameters"), 12_000 * MB_PER_MILLION[16], public=N_("code")),
    ),
    _published(
        "Joint-CAPT-L1", "Ryu et al. 2023", 0.719, 0.775, 0.773, 0.743, mdd_f1=0.415, per=0.099, told=False
    ),
    _published(
        "Azure Pronunciation Assessment", N_("as cited in arXiv 2509.02915"), 0.700, 0.715, 0.842, 0.782, 0.623,
        short_name="Azure", making=Making(public=N_("nothing: a service")),
    ),
    _published(
        "Qwen2-Audio + LoRA", N_("as cited in arXiv 2509.02915"), 0.69, 0.74, 0.73, 0.72, 0.51, 0.38,
        making=Making("Qwen2-Audio", N_("8,200 M parameters"), 8200 * MB_PER_MILLION[16], public=N_("the base model")),
    ),
    _published(
        N_("GPT-4o, zero shot (4 in 10 not scored)"), N_("as cited in arXiv 2509.02915"), 0.47, 0.46, 0.44, 0.50, 0.22,
        0.24, told=False, short_name="GPT-4o",
        making=Making("GPT-4o", selected=N_("nothing: it was not trained"), public=N_("nothing: a service")),
    ),
    PAPER,
)  # fmt: skip
# One expert against the median of the other four, the mean over the experts, on the whole test split.
HUMAN = _published(
    N_("One expert against the other four"), N_("whole test split"), 0.728, 0.747, 0.739, 0.795, told=None,
    short_name=N_("One expert"),
)  # fmt: skip
