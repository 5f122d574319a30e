import Core
import Testing

@testable import Cryptography

@Suite("Secrets at rest")
struct SecretBoxTests {
    static let aad = "tenant:t_42|table:smtp_accounts|col:password|row:7|kv:1"

    @Test("AES-256-GCM gives the vector's ciphertext and tag, and opens it again")
    func vector() throws {
        let key: [UInt8] = Array(0..<32)
        let nonce: [UInt8] = Array(0..<12)
        let aad: [UInt8] = Array(Self.aad.utf8)
        let sealed = try AESGCM.seal(Array("s3cr3t-smtp-pass".utf8), key: key, nonce: nonce, aad: aad)
        #expect(
            Hexadecimal.encode(sealed) == "3431b569f691ef68e035e7a6c1880b1e8f86e5a34cdb5b5a871f40db11ab91a9")
        #expect(try AESGCM.open(sealed, key: key, nonce: nonce, aad: aad) == Array("s3cr3t-smtp-pass".utf8))
        #expect(try AESGCM.open(sealed, key: key, nonce: nonce, aad: []) == nil)
        for index in sealed.indices {
            var changed: [UInt8] = sealed
            changed[index] ^= 1
            #expect(try AESGCM.open(changed, key: key, nonce: nonce, aad: aad) == nil)
        }
    }

    @Test("a key or nonce of a wrong length is an error, never a weak cipher")
    func lengths() {
        #expect(throws: CryptographyError.self) { try AESGCM.seal([1], key: [1], nonce: Array(0..<12), aad: []) }
        #expect(throws: CryptographyError.self) { try AESGCM.seal([1], key: Array(0..<32), nonce: [1], aad: []) }
        #expect(throws: SecretBox.Flaw.keyLength) { try SecretBox(current: [1, 2]) }
    }

    @Test("a record opens where it belongs and nowhere else")
    func place() throws {
        let box = try SecretBox(current: SecureRandom.bytes(32))
        let record = try box.seal("hunter2", aad: Self.aad)
        #expect(record[0] == 1)
        #expect(record.count == 1 + 4 + 12 + 7 + 16)
        #expect(try box.openText(record, aad: Self.aad).reveal() == "hunter2")
        #expect(throws: SecretBox.Flaw.tampered) { try box.open(record, aad: "row:8") }
        #expect(try box.seal("hunter2", aad: Self.aad) != record)
    }

    @Test("after a rotation old records open, are marked for sealing anew, and unknown keys are named as such")
    func rotation() throws {
        let old: [UInt8] = SecureRandom.bytes(32)
        let new: [UInt8] = SecureRandom.bytes(32)
        let record = try SecretBox(current: old).seal("x", aad: "a")
        let ring = try SecretBox(current: new, older: [old])
        #expect(try ring.openText(record, aad: "a").reveal() == "x")
        #expect(ring.needsResealing(record))
        #expect(!ring.needsResealing(try ring.seal("x", aad: "a")))
        #expect(throws: SecretBox.Flaw.unknownKey) { try SecretBox(current: new).open(record, aad: "a") }
    }

    @Test("short and unknown records are malformed, and an empty secret is a secret")
    func malformed() throws {
        let box = try SecretBox(current: Array(0..<32))
        #expect(throws: SecretBox.Flaw.malformed) { try box.open([], aad: "") }
        #expect(throws: SecretBox.Flaw.malformed) { try box.open([UInt8](repeating: 2, count: 60), aad: "") }
        #expect(try box.openText(try box.seal("", aad: ""), aad: "").reveal() == "")
    }
}
