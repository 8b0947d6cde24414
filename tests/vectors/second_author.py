"""A second author's reading of docs/formats, in Python with the `cryptography` package.

Reads one JSON object of tasks from standard input and writes the answers to standard output. Nothing here is shared with
the product's code: what both understand, the documents say.
"""

import base64
import hashlib
import hmac
import json
import struct
import sys

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

PAYLOAD_TYPE = "application/vnd.in-toto+json"
CHUNK = 1024 * 1024


def b64(data):
    return base64.b64encode(data).decode()


def unb64(text):
    return base64.b64decode(text, validate=True)


def sha256(data):
    return hashlib.sha256(data).digest()


def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def spki(public_key):
    return public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def key_id(public_key_der):
    return sha256(public_key_der).hex()


# DSSE


def pae(payload_type, payload):
    return b"DSSEv1 %d %s %d %s" % (len(payload_type), payload_type.encode(), len(payload), payload)


def sign_statement(predicate_type, subject_name, subject_digest, predicate, seed):
    statement = canonical(
        {
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{"name": subject_name, "digest": {"sha256": subject_digest}}],
            "predicateType": predicate_type,
            "predicate": predicate,
        }
    )
    key = Ed25519PrivateKey.from_private_bytes(seed)
    signature = {"keyid": key_id(spki(key.public_key())), "sig": b64(key.sign(pae(PAYLOAD_TYPE, statement)))}
    envelope = {"payload": b64(statement), "payloadType": PAYLOAD_TYPE, "signatures": [signature]}
    return canonical(envelope), sha256(statement).hex()


def verify_envelope(envelope, public_keys, predicate_type):
    parsed = json.loads(envelope)
    statement = unb64(parsed["payload"])
    assert parsed["payloadType"] == PAYLOAD_TYPE
    for signature in parsed["signatures"]:
        der = public_keys[signature["keyid"]]
        assert key_id(der) == signature["keyid"]
        load_der_public_key(der).verify(unb64(signature["sig"]), pae(PAYLOAD_TYPE, statement))
    content = json.loads(statement)
    assert content["_type"] == "https://in-toto.io/Statement/v1"
    assert content["predicateType"] == predicate_type
    return content, sha256(statement).hex()


# HPKE, RFC 9180, from its pseudo-code: mode base, KEM 0x0020, KDF 0x0001, AEAD 0x0002

KEM_SUITE = b"KEM" + struct.pack(">H", 0x0020)
HPKE_SUITE = b"HPKE" + struct.pack(">HHH", 0x0020, 0x0001, 0x0002)


def labeled_extract(suite, salt, label, ikm):
    return hmac.new(salt or bytes(32), b"HPKE-v1" + suite + label + ikm, "sha256").digest()


def labeled_expand(suite, prk, label, info, length):
    labeled_info = struct.pack(">H", length) + b"HPKE-v1" + suite + label + info
    output, block, counter = b"", b"", 1
    while len(output) < length:
        block = hmac.new(prk, block + labeled_info + bytes([counter]), "sha256").digest()
        output += block
        counter += 1
    return output[:length]


def kem_secret(dh, enc, recipient_raw):
    prk = labeled_extract(KEM_SUITE, b"", b"eae_prk", dh)
    return labeled_expand(KEM_SUITE, prk, b"shared_secret", enc + recipient_raw, 32)


def key_schedule(shared_secret, info):
    psk_id_hash = labeled_extract(HPKE_SUITE, b"", b"psk_id_hash", b"")
    info_hash = labeled_extract(HPKE_SUITE, b"", b"info_hash", info)
    context = b"\x00" + psk_id_hash + info_hash
    secret = labeled_extract(HPKE_SUITE, shared_secret, b"secret", b"")
    key = labeled_expand(HPKE_SUITE, secret, b"key", context, 32)
    return AESGCM(key), labeled_expand(HPKE_SUITE, secret, b"base_nonce", context, 12)


def nonce_of(base_nonce, sequence):
    return (int.from_bytes(base_nonce, "big") ^ sequence).to_bytes(12, "big")


def aad_of(index, is_last):
    return struct.pack(">IB", index, 1 if is_last else 0)


def seal_chunks(recipient_raw, info, plaintext):
    ephemeral = X25519PrivateKey.generate()
    enc = spki(ephemeral.public_key())[-32:]
    dh = ephemeral.exchange(X25519PublicKey.from_public_bytes(recipient_raw))
    aead, base_nonce = key_schedule(kem_secret(dh, enc, recipient_raw), info)
    count = max(1, -(-len(plaintext) // CHUNK))
    chunks = (plaintext[index * CHUNK : (index + 1) * CHUNK] for index in range(count))
    sealed = [
        aead.encrypt(nonce_of(base_nonce, index), chunk, aad_of(index, index == count - 1))
        for index, chunk in enumerate(chunks)
    ]
    return enc, b"".join(sealed)


def open_chunks(recipient_private, info, enc, ciphertext):
    key = X25519PrivateKey.from_private_bytes(recipient_private)
    dh = key.exchange(X25519PublicKey.from_public_bytes(enc))
    aead, base_nonce = key_schedule(kem_secret(dh, enc, spki(key.public_key())[-32:]), info)
    size = CHUNK + 16
    count = max(1, -(-len(ciphertext) // size))
    return b"".join(
        aead.decrypt(
            nonce_of(base_nonce, index),
            ciphertext[index * size : (index + 1) * size],
            aad_of(index, index == count - 1),
        )
        for index in range(count)
    )


# The sealed update


def info_of(header_text):
    return b"consilium/update/v1\x00" + sha256(header_text.encode())


def take_block(data, at):
    (length,) = struct.unpack_from(">I", data, at)
    return data[at + 4 : at + 4 + length], at + 4 + length


def open_update(task):
    file = unb64(task["file"])
    public_keys = {key_id(unb64(text)): unb64(text) for text in task["publicKeys"]}
    assert file[:8] == b"CNSLUPD\x01"
    outer, at = take_block(file, 8)
    ciphertext = file[at:]
    transport, _ = verify_envelope(outer, public_keys, "https://consilium.example/transport/v1")
    claims = transport["predicate"]
    assert claims["ciphertextBytes"] == len(ciphertext)
    assert transport["subject"][0]["digest"]["sha256"] == sha256(ciphertext).hex()
    private = bytes.fromhex(task["recipientPrivateKey"])
    plaintext = open_chunks(private, info_of(claims["header"]), unb64(claims["enc"]), ciphertext)
    update, at = take_block(plaintext, 0)
    (count,) = struct.unpack_from(">I", plaintext, at)
    at += 4
    approvals = []
    for _ in range(count):
        approval, at = take_block(plaintext, at)
        approvals.append(approval)
    payload = plaintext[at:]
    statement, digest = verify_envelope(update, public_keys, "https://consilium.example/model-update/v1")
    assert statement["subject"][0]["digest"]["sha256"] == sha256(payload).hex()
    for approval in approvals:
        signed, _ = verify_envelope(approval, public_keys, "https://consilium.example/steward-approval/v1")
        assert signed["subject"][0]["digest"]["sha256"] == digest
    return {
        "header": json.loads(claims["header"]),
        "predicate": statement["predicate"],
        "approvals": len(approvals),
        "payloadDigest": sha256(payload).hex(),
    }


def block(data):
    return struct.pack(">I", len(data)) + data


def seal_update(task):
    seed = bytes.fromhex(task["siteSeed"])
    payload = unb64(task["payload"])
    update, digest = sign_statement(
        "https://consilium.example/model-update/v1", "payload", sha256(payload).hex(), task["update"], seed
    )
    approval, _ = sign_statement(
        "https://consilium.example/steward-approval/v1",
        "update",
        digest,
        task["approval"],
        bytes.fromhex(task["stewardSeed"]),
    )
    header = canonical(task["header"]).decode()
    plaintext = block(update) + struct.pack(">I", 1) + block(approval) + payload
    recipient_raw = unb64(task["recipientPublicKey"])[-32:]
    enc, ciphertext = seal_chunks(recipient_raw, info_of(header), plaintext)
    transport = {"header": header, "enc": b64(enc), "ciphertextBytes": len(ciphertext)}
    outer, _ = sign_statement(
        "https://consilium.example/transport/v1", "ciphertext", sha256(ciphertext).hex(), transport, seed
    )
    return b64(b"CNSLUPD\x01" + block(outer) + ciphertext)


# Requests


def request_base(request, parameters):
    digest = "sha-256=:%s:" % b64(sha256(unb64(request["body"])))
    lines = [
        '"@method": ' + request["method"],
        '"@authority": ' + request["authority"],
        '"@path": ' + request["path"],
        '"content-digest": ' + digest,
        '"@signature-params": ' + parameters,
    ]
    return "\n".join(lines).encode(), digest


def sign_request(task):
    key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(task["seed"]))
    parameters = '("@method" "@authority" "@path" "content-digest");created=%d;nonce="%s";keyid="%s";alg="ed25519"' % (
        task["created"],
        task["nonce"],
        key_id(spki(key.public_key())),
    )
    base, digest = request_base(task["request"], parameters)
    return {
        "content-digest": digest,
        "signature-input": "consilium=" + parameters,
        "signature": "consilium=:%s:" % b64(key.sign(base)),
    }


def unwrap(task):
    secret = task["secret"].encode()
    key = Scrypt(salt=unb64(task["salt"]), length=32, n=2**17, r=8, p=1).derive(secret)
    sealed = unb64(task["sealedSeed"])
    aad = b"consilium/person-key/v1\x00" + task["name"].encode()
    return AESGCM(key).decrypt(sealed[:12], sealed[12:], aad).hex()


def keystream(task):
    encryptor = Cipher(algorithms.AES(bytes.fromhex(task["seed"])), modes.CTR(bytes(16))).encryptor()

    def next_uint32():
        return struct.unpack("<I", encryptor.update(bytes(4)))[0]

    def next_below(bound):
        end = 2**32 - 2**32 % bound
        draw = next_uint32()
        while draw >= end:
            draw = next_uint32()
        return draw % bound

    def next_double():
        upper, lower = next_uint32() >> 5, next_uint32() >> 6
        return (upper * 2**26 + lower) / 2**53

    doubles = [next_double() for _ in range(2000)]
    order = list(range(100))
    for position in range(99, 0, -1):
        other = next_below(position + 1)
        order[position], order[other] = order[other], order[position]
    return {"doubles": doubles, "order": order, "below": [next_below(3 * 2**30) for _ in range(50)]}


TASKS = {
    "openUpdate": open_update,
    "sealUpdate": seal_update,
    "signRequest": sign_request,
    "unwrap": unwrap,
    "keystream": keystream,
}

if __name__ == "__main__":
    tasks = json.load(sys.stdin)
    json.dump({name: TASKS[name](task) for name, task in tasks.items()}, sys.stdout)
