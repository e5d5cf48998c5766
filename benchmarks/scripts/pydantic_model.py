"""pydantic looks for plugins by going through every distribution."""

from pydantic import BaseModel


class Settings(BaseModel):
    rate: float = 0.1


print(Settings(rate="0.5"))
