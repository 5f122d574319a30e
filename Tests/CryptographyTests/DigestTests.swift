import Core
import Testing

@testable import Cryptography

@Suite("Digests and keyed hashes")
struct DigestTests {
    /// The key of the tracking vectors: bytes 00 to 1f.
    static let key: [UInt8] = Array(0..<32)

    @Test("SHA-1, SHA-256 and SHA-512 give the published hashes of \"abc\" and of nothing")
    func publishedHashes() {
        let abc: [UInt8] = Array("abc".utf8)
        #expect(Hexadecimal.encode(SHA1.hash(abc)) == "a9993e364706816aba3e25717850c26c9cd0d89d")
        #expect(
            Hexadecimal.encode(SHA256.hash("abc")) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        )
        #expect(
            Hexadecimal.encode(SHA256.hash([])) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        #expect(Hexadecimal.encode(SHA512.hash(abc)).hasPrefix("ddaf35a193617abacc417349ae204131"))
    }

    @Test("a hash of pieces is the hash of the whole")
    func pieces() {
        var state = SHA256State()
        state.update(Array("a".utf8))
        state.update([])
        state.update(Array("bc".utf8))
        #expect(state.finish() == SHA256.hash("abc"))
    }

    @Test("HMAC-SHA256 gives RFC 4231's tags, with short keys and with keys longer than a block")
    func publishedTags() {
        #expect(
            Hexadecimal.encode(
                HMAC.sha256(key: Array("Jefe".utf8), message: Array("what do ya want for nothing?".utf8)))
                == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
        let long = [UInt8](repeating: 0xaa, count: 131)
        let text = "Test Using Larger Than Block-Size Key - Hash Key First"
        #expect(
            Hexadecimal.encode(HMAC.sha256(key: long, message: Array(text.utf8)))
                == "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54")
    }

    @Test("the click link's vector: the whole tag and its first 16 bytes")
    func clickVector() {
        let text = "c1\nt_42\nmsg_7\nlnk_3\nhttps://shop.example/p?q=1&utm_source=news"
        let key = HMACKey(Self.key)
        #expect(Base64URL.encode(key.authenticate(Array(text.utf8))) == "beTr65eyM8onfUHP50yxHUVlw-5XgQAQG0KaDfd1sds")
        #expect(Base64URL.encode(key.tag16(Array(text.utf8)).bytes) == "beTr65eyM8onfUHP50yxHQ")
    }

    @Test("a key with a prefix signs the prefix and the message together")
    func prefix() {
        let key = HMACKey(Self.key)
        let prefixed: HMACKey = key.prefixed(by: Array("bounce:".utf8))
        #expect(prefixed.authenticate(Array("d42".utf8)) == key.authenticate(Array("bounce:d42".utf8)))
    }

    @Test("constant-time comparison tells equal from unequal")
    func constantTime() {
        #expect(ConstantTime.equal([1, 2, 3], [1, 2, 3]))
        #expect(ConstantTime.equal([], []))
        #expect(!ConstantTime.equal([1, 2, 3], [1, 2, 4]))
        #expect(!ConstantTime.equal([1, 2, 3], [1, 2]))
        #expect(!ConstantTime.equal("a", "b"))
    }

    @Test("random tokens are long and never the same")
    func randomTokens() {
        let tokens: Set<String> = Set((0..<100).map { _ in SecureRandom.token() })
        #expect(tokens.count == 100)
        #expect(tokens.allSatisfy { $0.utf8.count == 43 })
        #expect(SecureRandom.bytes(0).isEmpty)
    }
}

@Suite("Base 64 and base 32")
struct BaseTests {
    @Test("RFC 4648's examples encode and decode")
    func examples() {
        for (plain, coded) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")] {
            #expect(Base64.encode(Array(plain.utf8)) == coded)
            #expect(Base64.decode(coded) == Array(plain.utf8))
        }
        #expect(Base64.encode([0xfb, 0xff]) == "+/8=")
        #expect(Base32.encode(Array("foobar".utf8)) == "mzxw6ytboi")
        #expect(Base32.encode(Array("f".utf8)) == "my")
    }

    @Test(
        "wrong padding, foreign characters and leftover bits are refused",
        arguments: ["Zg", "Zg=", "Z===", "Zh==", "Z-==", "Zg==\n"])
    func strict(text: String) {
        #expect(Base64.decode(text) == nil)
    }

    @Test("appending base64url to a buffer gives the same text as encoding", arguments: 0..<10)
    func appending(count: Int) {
        let bytes: [UInt8] = SecureRandom.bytes(count)
        var output: [UInt8] = []
        bytes.withUnsafeBytes { Base64URL.append($0, to: &output) }
        #expect(String(decoding: output, as: UTF8.self) == Base64URL.encode(bytes))
    }
}
