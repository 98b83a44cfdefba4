"""A service account as Google gives it out, with a key made here."""

import json
from functools import cache

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

EMAIL = "digilog@onda-pilates.iam.gserviceaccount.com"
TOKEN = {"access_token": "ya29.c.b0AT7lpjDsample", "expires_in": 3599, "token_type": "Bearer"}


@cache
def private_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@cache
def key_file() -> str:
    """The text of the file that the console gives out once."""
    text = private_key().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return json.dumps(
        {
            "type": "service_account",
            "project_id": "onda-pilates",
            "private_key_id": "3f5c0a5b7d2e4d0f9a1b2c3d4e5f60718293a4b5",
            "private_key": text.decode(),
            "client_email": EMAIL,
            "client_id": "104857600000000000001",
            "auth_uri": "https://accounts.google.com/o/oauth2/auth",
            "token_uri": "https://oauth2.googleapis.com/token",
            "auth_provider_x509_cert_url": "https://www.googleapis.com/oauth2/v1/certs",
            "client_x509_cert_url": "https://www.googleapis.com/robot/v1/metadata/x509/digilog",
            "universe_domain": "googleapis.com",
        }
    )
