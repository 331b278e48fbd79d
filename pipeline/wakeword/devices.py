"""The devices that a detector can be made for, and what each can spare for it."""

from dataclasses import dataclass

from pipeline.i18n import N_


@dataclass(frozen=True)
class Target:
    """What a device can spare for a wake word; `macs_per_s` that it can do all the time. A microcontroller takes no
    speech embedding, whose network `Budget` does not count."""

    title: str
    flash_kb: float
    ram_kb: float
    macs_per_s: float
    takes_embeddings: bool = True


NO_EMBEDDINGS = N_("speech embeddings need more than a microcontroller")
TARGETS = {
    "esp32_s3": Target("ESP32-S3", 4096.0, 320.0, 100e6, takes_embeddings=False),
    "raspberry_pi": Target("Raspberry Pi", 65_536.0, 65_536.0, 1e9),
    "phone": Target(N_("mobile phone"), 131_072.0, 131_072.0, 4e9),
    "desktop": Target(N_("desktop computer"), 1_048_576.0, 1_048_576.0, 20e9),
}
