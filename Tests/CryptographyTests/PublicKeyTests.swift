import Core
import FoundationEssentials
import Testing

@testable import Cryptography

@Suite("Signatures by public keys")
struct PublicKeyTests {
    static let message: [UInt8] = Array("signed text".utf8)
    static let curveKey =
        "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEgLAL/E8JjUXFkOIga5Zmal3DyCLTzjg6RwN0DZdOqiT4j2C3nx6PrnHTCfkrLSml"
        + "j2yyrnXuz6B0O7EULEp1kA=="
    static let curveSignature =
        "MEQCIEKd2QfQborbIfTi8a02wsnfJ+GBlWV3zKE0HOCBBd1HAiAiZe23DKMcwesjInc2BoaKpejVrYBT63nzNdTStaXc7g=="
    static let rsaKey = """
        -----BEGIN PUBLIC KEY-----
        MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAttvawKcQsfeGLvkJ422y
        OhJl3E8T65nURFkb5d+OGebcARRhuuVX0XOX7eWZEYnWoPtTTXni9AVSXNpOrPx8
        9HB/nal8cTEjiSzlzCoJjRE6la6gF2esXxtsNJ57zsEwwzLg5u6Pc5x85wiFLObL
        ZZkua2WSXnUPS8JadY09Jgq0qVd9N5YP9S2T176FlIbEemkteVwU/vNZG6MiZjWr
        d47m6Y99WprLK1gO5erOhQNsWp/Y4+Hgc9hReZFgxHYYABQfCqC6QtlBH2RBGZyS
        sWQhw7Ylyofz14pf67uQrREcnUBC0AQbkOwtBMoXcl+Ymjn9Iug44S/edvL+aakl
        pQIDAQAB
        -----END PUBLIC KEY-----
        """
    static let rsaSignature =
        "n+WJ310nap/FHgtfeDIBogiLAflPeqrZOCMp2e6MapqQ+9F6DffODOCwMsX4HCJazs2zfh5Q4F5E3Zw8jJ2xlQed5rqB9HFwXsS5"
        + "dUOiA3JS4GBNPsDC5AQ8nEO2sI/m3R45ftcu40Tw/5Edc98ixkVnOD3eVIXOedlQ9B6Ye3t10M3AsIA8MRwS0GbnGGZpjKPKjuFP"
        + "nXB942+oq3/Myq3ezLkLaqM8rIHzdsKXBTjpOthEpFBfsn4+ChZJAkVb8WyHGQQSM4949sFDbCf+PEJLZQIXEbwCdz0c4wr24a0P"
        + "E5qGrPbsLHSgt3WluqZYJUTfBr4VCjuJKRLhLrzxZg=="
    static let oldRSASignature =
        "PrkYom6kcqaKWfN51w6Jk+8ncvqlLX6ZimJ/U+p7Q8M+Rg5p93FQGIgxunRPqUiDXmSvK8q5wa7wdqRjnRuUTiQuYVZ1LZbBJZdK"
        + "wGvfK+qQDO18TBF1AFInOFoKXpW5SixSg10DbvjAEMf0H/sw+sw+fJFKRR0aFgSA7yA7+ybuvYsDar3s8pjWZ0nfOqsQf/JqtyMw"
        + "sNADBiZHT5nFXskzd366RKlNz+WGupHecw7II/W6QtG0MdaYeiQpMD32s45/kDS4fyDFPUimgXpjGsgy+G1kFQZNwf3u3aNRmHIg"
        + "TAW6sCZATB/Svf4DF3+BELBS09eyshNZicKYyzaG4Q=="
    static let certificate = """
        -----BEGIN CERTIFICATE-----
        MIIBbDCCAROgAwIBAgIUYlxAIU8Fn5nLp25XHNb97Luqi+YwCgYIKoZIzj0EAwIw
        DDEKMAgGA1UEAwwBeDAeFw0yNjExMjEwODIyMzdaFw0zNjExMTgwODIyMzdaMAwx
        CjAIBgNVBAMMAXgwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAASAsAv8TwmNRcWQ
        4iBrlmZqXcPIItPOODpHA3QNl06qJPiPYLefHo+ucdMJ+SstKaWPbLKude7PoHQ7
        sRQsSnWQo1MwUTAdBgNVHQ4EFgQU9NGv+YW3ot2IFAznm77OME+ufTwwHwYDVR0j
        BBgwFoAU9NGv+YW3ot2IFAznm77OME+ufTwwDwYDVR0TAQH/BAUwAwEB/zAKBggq
        hkjOPQQDAgNHADBEAiAYjgIuoGafpBOFTMAjQ/46nJp4jxX/uCnSYYWjv469igIg
        frSZXHX3b/BXOjx+Lvb9JyuyQGmfRJAXaz5nOGY7O2g=
        -----END CERTIFICATE-----
        """

    @Test("an ECDSA P-256 signature verifies with a key in DER or in a certificate, and not for another message")
    func curve() throws {
        let signature: [UInt8] = try #require(Base64.decode(Self.curveSignature))
        let key = try PublicKey(der: try #require(Base64.decode(Self.curveKey)))
        #expect(try key.verify(signature, of: Self.message))
        #expect(try !key.verify(signature, of: Self.message + [0]))
        #expect(try !key.verify([], of: Self.message))
        #expect(try !key.verify([1, 2, 3], of: Self.message))
        #expect(try PublicKey(certificatePEM: Self.certificate).verify(signature, of: Self.message))
    }

    @Test("an RSA signature verifies with its digest and with no other")
    func rsa() throws {
        let key = try PublicKey(pem: Self.rsaKey)
        let signature: [UInt8] = try #require(Base64.decode(Self.rsaSignature))
        #expect(try key.verify(signature, of: Self.message))
        #expect(try !key.verify(signature, of: Self.message, digest: .sha1))
        let old: [UInt8] = try #require(Base64.decode(Self.oldRSASignature))
        #expect(try key.verify(old, of: Self.message, digest: .sha1))
    }

    @Test("text that is no key is an error that names the reason")
    func noKey() {
        #expect(throws: CryptographyError.self) { try PublicKey(pem: "hello") }
        #expect(throws: CryptographyError.self) { try PublicKey(der: [1, 2]) }
        #expect(throws: CryptographyError.self) { try PublicKey(certificatePEM: "") }
        #expect(throws: CryptographyError.self) { try PublicKey(ed25519: [1]) }
        #expect(throws: CryptographyError.self) { try Ed25519PrivateKey(seed: []) }
    }
}

@Suite("Webhook signatures")
struct WebhookSignatureTests {
    static let body: [UInt8] = Array(
        #"{"type":"contact.unsubscribed","timestamp":"2026-01-15T09:30:00Z","data":{"id":"con_01HZX","email":"zoë@example.com"}}"#
            .utf8)
    static let id = "msg_2x9AbC"
    static let time = 1_768_469_400
    static let first = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
    static let second = "whsec_ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8="
    static let firstSignature = "v1,ezovEkpdC1oe2cNVUHG8tVThu53wMESx+N1Ni4qfrsU="
    static let secondSignature = "v1,IjUj/jGT288kon8RS//m+GmyTWJ4ZlWHhfxsaUeQwCQ="
    static let curveSignature =
        "v1a,w6GWm2VtWzVOHgYM/6rTLESvmTwNpcb8irZ3d57ojljhCBtaZUYwGaU4ES0FPPf/WEASDF0Wi5cPqdNZjjW7CQ=="

    private func secret(_ text: String) throws -> WebhookSignature.SharedSecret {
        try #require(WebhookSignature.SharedSecret(text))
    }

    @Test("the published library example is reproduced")
    func published() throws {
        let signature: String = WebhookSignature.sign(
            id: "msg_p5jXN8AQM9LWM0D4loKWxJek", timestamp: 1_614_265_330, body: Array(#"{"test": 2432232314}"#.utf8),
            secrets: [try secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")])
        #expect(signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
    }

    @Test("our vectors hold for both secrets together and for Ed25519")
    func vectors() throws {
        #expect(Self.body.count == 119)
        let both: String = WebhookSignature.sign(
            id: Self.id, timestamp: Self.time, body: Self.body,
            secrets: [try secret(Self.first), try secret(Self.second)])
        #expect(both == "\(Self.firstSignature) \(Self.secondSignature)")
        let key = try Ed25519PrivateKey(seed: DigestTests.key)
        #expect(Base64.encode(try key.publicKeyBytes()) == "A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=")
        let signed: String = try WebhookSignature.sign(
            id: Self.id, timestamp: Self.time, body: Self.body, key: key)
        #expect(signed == Self.curveSignature)
    }

    private func isValid(
        _ header: String, id: String = WebhookSignatureTests.id, timestamp: Int = WebhookSignatureTests.time,
        body: [UInt8] = WebhookSignatureTests.body, late: Double = 0
    ) throws -> Bool {
        try WebhookSignature.isValid(
            header, id: id, timestamp: timestamp, body: body, secrets: [try secret(Self.first)],
            publicKeys: [try PublicKey(ed25519: Ed25519PrivateKey(seed: DigestTests.key).publicKeyBytes())],
            now: Date(timeIntervalSince1970: Double(Self.time) + late))
    }

    @Test("any fitting entry passes; other bodies, ids, times, versions and empty lists fail")
    func checks() throws {
        #expect(try isValid(Self.firstSignature))
        #expect(try isValid("\(Self.secondSignature) \(Self.firstSignature)"))
        #expect(try isValid("\(Self.curveSignature) \(Self.firstSignature)"))
        #expect(try isValid(Self.curveSignature))
        #expect(try isValid(Self.firstSignature, late: 300))
        #expect(try !isValid(Self.firstSignature, late: 301))
        #expect(try !isValid(Self.firstSignature, id: "msg_other"))
        #expect(try !isValid(Self.firstSignature, timestamp: Self.time + 1))
        #expect(try !isValid(Self.firstSignature, body: Self.body + [32]))
        #expect(try !isValid(String(Self.firstSignature.dropFirst(3))))
        #expect(try !isValid("v2," + Self.firstSignature.dropFirst(3)))
        #expect(try !isValid(""))
    }

    @Test(
        "secrets of another form or length are refused",
        arguments: ["", "whsec_", "whsec_AAEC", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="])
    func secrets(text: String) {
        #expect(WebhookSignature.SharedSecret(text) == nil)
        #expect(WebhookSignature.SharedSecret(WebhookSignature.SharedSecret.generate()) != nil)
    }
}
