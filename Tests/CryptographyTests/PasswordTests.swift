import Core
import Testing

@testable import Cryptography

@Suite("Passwords")
struct PasswordTests {
    static let password = "correct horse battery staple"

    @Test("scrypt gives the vectors, with the memory limit given explicitly")
    func vectors() throws {
        let bytes: [UInt8] = Array(Self.password.utf8)
        let salt: [UInt8] = Array(0..<16)
        let standard = try Scrypt.derive(password: bytes, salt: salt, cost: .standard, count: 32)
        #expect(Hexadecimal.encode(standard) == "6705dba046cafbaba8de989bca88e0038ce03542d0c0cd96a8f956a72f86ee67")
        let large = PasswordHash.Cost(logN: 17, blockSize: 8, parallelism: 1)
        let costly = try Scrypt.derive(password: bytes, salt: salt, cost: large, count: 32)
        #expect(Hexadecimal.encode(costly) == "1b2946da71f41179e83b99dc33842d15741b87c4121c8c7f3781c1df864fb58b")
        let published = PasswordHash.Cost(logN: 10, blockSize: 8, parallelism: 16)
        let rfc = try Scrypt.derive(
            password: Array("password".utf8), salt: Array("NaCl".utf8), cost: published, count: 64)
        #expect(Hexadecimal.encode(rfc).hasPrefix("fdbabe1c9d347200"))
    }

    @Test("the stored string names its parameters, reads back and matches only its password")
    func stored() throws {
        let hash = try PasswordHash(password: Self.password, cost: .quick)
        #expect(hash.stored.hasPrefix("$scrypt$ln=4,r=8,p=1$"))
        let read = try #require(PasswordHash(stored: hash.stored))
        #expect(read == hash)
        #expect(try read.matches(Self.password))
        #expect(try !read.matches("wrong"))
        #expect(try !read.matches(""))
        #expect(read.needsRehash())
        #expect(!read.needsRehash(for: .quick))
        #expect(try PasswordHash(password: "", cost: .quick).matches(""))
    }

    @Test(
        "strings of another form, or with absurd parameters, are not hashes",
        arguments: [
            "", "$scrypt$", "$argon2id$ln=15,r=8,p=3$AAECAwQFBgcICQoLDA0ODw$AAECAwQFBgcICQoLDA0ODw",
            "$scrypt$ln=40,r=8,p=3$AAECAwQFBgcICQoLDA0ODw$AAECAwQFBgcICQoLDA0ODw",
            "$scrypt$ln=18,r=8,p=3$AAECAwQFBgcICQoLDA0ODw$AAECAwQFBgcICQoLDA0ODw",
            "$scrypt$ln=15,r=8$AAECAwQFBgcICQoLDA0ODw$AAECAwQFBgcICQoLDA0ODw",
            "$scrypt$ln=15,ln=15,r=8,p=3$AAECAwQFBgcICQoLDA0ODw$AAECAwQFBgcICQoLDA0ODw",
            "$scrypt$ln=15,r=8,p=3$AAEC=$AAECAwQFBgcICQoLDA0ODw",
        ])
    func refused(text: String) {
        #expect(PasswordHash(stored: text) == nil)
    }

    @Test("the hasher checks, offers a new string when the cost rose, and says no for absent accounts")
    func hasher() async throws {
        let hasher = PasswordHasher(cost: .quick)
        let stored: String = try await hasher.hash(Self.password)
        let right = try await hasher.verify(Self.password, against: stored)
        #expect(right == PasswordHasher.Answer(matches: true, replacement: nil))
        #expect(try await !hasher.verify("wrong", against: stored).matches)
        #expect(try await !hasher.verify(Self.password, against: nil).matches)

        let weaker = PasswordHash.Cost(logN: 3, blockSize: 8, parallelism: 1)
        let old: String = try PasswordHash(password: Self.password, cost: weaker).stored
        let answer = try await hasher.verify(Self.password, against: old)
        let replacement = try #require(answer.replacement)
        #expect(PasswordHash(stored: replacement)?.cost == .quick)
        hasher.stop()
    }

    @Test("passwords over 1,024 bytes never match and are not hashed")
    func long() throws {
        let hash = try PasswordHash(password: Self.password, cost: .quick)
        #expect(try !hash.matches(String(repeating: "x", count: 1025)))
        #expect(throws: CryptographyError.self) {
            try PasswordHash(password: String(repeating: "x", count: 1025), cost: .quick)
        }
    }

    @Test("many checks at once all get an answer or are told to come back")
    func crowd() async throws {
        let hasher = PasswordHasher(cost: .quick, concurrency: 2, waitingLimit: 200)
        let stored: String = try await hasher.hash("a")
        let matches: Int = try await withThrowingTaskGroup(of: Bool.self) { group in
            for _ in 0..<100 { group.addTask { try await hasher.verify("a", against: stored).matches } }
            return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(matches == 100)
        hasher.stop()
        await #expect(throws: PasswordHasher.Failure.self) { try await hasher.hash("a") }
    }
}
