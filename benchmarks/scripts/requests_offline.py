"""requests without a network: the connection is refused."""

import requests

try:
    requests.get("http://127.0.0.1:9/", timeout=1)
except requests.RequestException as error:
    print(type(error).__name__)
