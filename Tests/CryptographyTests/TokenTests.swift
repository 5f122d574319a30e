import Core
import FoundationEssentials
import Testing

@testable import Cryptography

@Suite("Signed tokens")
struct SignedTokenTests {
    @Test("the unsubscribe link's vector: payload and 16-byte tag")
    func unsubscribeVector() {
        let signer = SignedToken(key: HMACKey(DigestTests.key), purpose: "u1")
        let rest: [UInt8] = Array("t_42\ncon_7\nlist_3\nmsg_9".utf8)
        #expect(Base64URL.encode(signer.tag(for: rest).bytes) == "CNkpxE7KB1Rcfl0mRt7jWg")
        #expect(Base64URL.encode(Array("u1\n".utf8) + rest) == "dTEKdF80Mgpjb25fNwpsaXN0XzMKbXNnXzk")
    }

    @Test("the click link's vector holds, and one changed byte of the URL fails")
    func clickVector() {
        let signer = SignedToken(key: HMACKey(DigestTests.key), purpose: "c1")
        let good: [UInt8] = Array("t_42\nmsg_7\nlnk_3\nhttps://shop.example/p?q=1&utm_source=news".utf8)
        #expect(signer.isValid(tag: "beTr65eyM8onfUHP50yxHQ", for: good))
        for index in good.indices {
            var changed: [UInt8] = good
            changed[index] ^= 1
            #expect(!signer.isValid(tag: "beTr65eyM8onfUHP50yxHQ", for: changed))
        }
    }

    @Test("a token opens to its payload, and not for another purpose or with another key")
    func roundTrip() {
        let key = HMACKey(SecureRandom.bytes(32))
        let signer = SignedToken(key: key, purpose: "c1")
        for count in [0, 1, 2, 3, 16, 200] {
            let payload: [UInt8] = SecureRandom.bytes(count)
            let token: String = signer.token(for: payload)
            #expect(signer.open(token) == payload)
            #expect(SignedToken(key: key, purpose: "c2").open(token) == nil)
            #expect(SignedToken(key: HMACKey([1]), purpose: "c1").open(token) == nil)
            #expect(signer.open(token + "A") == nil)
            #expect(signer.open(token + "=") == nil)
        }
        #expect(signer.open("") == nil)
        #expect(signer.open(String(repeating: "A", count: 9000)) == nil)
    }
}

@Suite("JSON Web Tokens")
struct JWTTests {
    static let token =
        "eyJhbGciOiJIUzI1NiIsInR5cCI6ImVtYmVkK2p3dCIsImtpZCI6ImsxIn0.eyJpc3MiOiJwYXJ0bmVyLmV4YW1wbGUiLCJhdWQiOiJodHRwczovL3BvcnRhbC5leGFtcGxlL2VtYmVkIiwic3ViIjoidV85IiwidGlkIjoidF80MiIsImp0aSI6ImpfMDAwMSIsImlhdCI6MTc2ODQ2OTQwMCwibmJmIjoxNzY4NDY5NDAwLCJleHAiOjE3Njg0Njk0NjB9.CObzkVlG_eQbgje0mvS7SGGD9rxhNsPKMLLTuM8n4oA"
    static let rules = JWT.Rules(
        type: "embed+jwt", issuer: "partner.example", audience: "https://portal.example/embed", maximumLifetime: 120)

    private func key(id: String? = "k1") throws -> JWT.Key {
        try #require(JWT.Key(id: id, secret: DigestTests.key))
    }

    private func verify(
        _ token: String, rules: JWT.Rules = JWTTests.rules, at time: Double = 1_768_469_400
    ) throws -> JWT.Claims {
        try JWT.verify(token, keys: [try key()], rules: rules, now: Date(timeIntervalSince1970: time))
    }

    private func signed(header: String, claims: String) throws -> String {
        let text = "\(Base64URL.encode(Array(header.utf8))).\(Base64URL.encode(Array(claims.utf8)))"
        return "\(text).\(Base64URL.encode(HMAC.sha256(key: DigestTests.key, message: Array(text.utf8))))"
    }

    @Test("the vector is valid from its issue to its end")
    func vector() throws {
        let claims = try verify(Self.token)
        #expect(claims.subject == "u_9")
        #expect(claims.identifier == "j_0001")
        #expect(claims.others == ["tid": .string("t_42")])
        #expect(try verify(Self.token, at: 1_768_469_459).subject == "u_9")
    }

    @Test("too late, too early, another audience or issuer, and a longer life than allowed are refused")
    func times() {
        #expect(throws: JWT.Refusal.expired) { try verify(Self.token, at: 1_768_469_491) }
        #expect(throws: JWT.Refusal.notYetValid) { try verify(Self.token, at: 1_768_469_369) }
        var rules: JWT.Rules = Self.rules
        rules.audience = "https://portal.example/other"
        #expect(throws: JWT.Refusal.wrongAudience) { try verify(Self.token, rules: rules) }
        rules = Self.rules
        rules.issuer = "other.example"
        #expect(throws: JWT.Refusal.wrongIssuer) { try verify(Self.token, rules: rules) }
        rules = Self.rules
        rules.maximumLifetime = 59
        #expect(throws: JWT.Refusal.livesTooLong) { try verify(Self.token, rules: rules) }
    }

    @Test("none, other algorithms, other types, changed and padded signatures are refused")
    func forgeries() throws {
        let claims =
            #"{"iss":"partner.example","aud":"https://portal.example/embed","iat":1768469400,"exp":1768469460}"#
        for algorithm in ["none", "NONE", "None", "HS512", "RS256"] {
            let header = #"{"alg":"\#(algorithm)","typ":"embed+jwt"}"#
            let unsigned = "\(Base64URL.encode(Array(header.utf8))).\(Base64URL.encode(Array(claims.utf8)))."
            #expect(throws: JWT.Refusal.wrongAlgorithm) { try verify(unsigned) }
        }
        #expect(throws: JWT.Refusal.wrongType) {
            try verify(try signed(header: #"{"alg":"HS256","typ":"JWT","kid":"k1"}"#, claims: claims))
        }
        #expect(throws: JWT.Refusal.badSignature) { try verify(String(Self.token.dropLast()) + "E") }
        #expect(throws: JWT.Refusal.malformed) { try verify(Self.token + "=") }
        #expect(throws: JWT.Refusal.malformed) { try verify(Self.token + ".x") }
        #expect(throws: JWT.Refusal.malformed) { try verify("") }
        #expect(throws: JWT.Refusal.tooLong) { try verify(Self.token + String(repeating: "A", count: 4096)) }
    }

    @Test("a missing end, doubled names, unknown keys and critical extensions are refused")
    func shapes() throws {
        let header = #"{"alg":"HS256","typ":"embed+jwt","kid":"k1"}"#
        let endless = #"{"iss":"partner.example","aud":"https://portal.example/embed","iat":1768469400}"#
        #expect(throws: JWT.Refusal.malformed) { try verify(try signed(header: header, claims: endless)) }
        let doubled = #"{"iss":"x","iss":"partner.example","aud":"https://portal.example/embed","exp":1768469460}"#
        #expect(throws: JWT.Refusal.malformed) { try verify(try signed(header: header, claims: doubled)) }
        let escaped = #"{"iss":"x","\u0069ss":"partner.example","exp":1768469460}"#
        #expect(throws: JWT.Refusal.malformed) { try verify(try signed(header: header, claims: escaped)) }
        #expect(throws: JWT.Refusal.unknownKey) {
            try verify(try signed(header: #"{"alg":"HS256","typ":"embed+jwt","kid":"k9"}"#, claims: "{}"))
        }
        #expect(throws: JWT.Refusal.malformed) {
            try verify(try signed(header: #"{"alg":"HS256","typ":"embed+jwt","kid":"k1","crit":["x"]}"#, claims: "{}"))
        }
    }

    @Test("what is issued verifies, and secrets under 32 bytes are refused")
    func issuing() throws {
        let claims = JWT.Claims(
            issuer: "portal", subject: "7b4c", audience: "api", issuedAt: 1_768_469_400, expires: 1_768_473_000,
            others: ["name": .string("Zoë \"Q\" \u{1}"), "roles": .array([.int(1), .null])])
        let token: String = JWT.issue(claims, key: try key(id: nil))
        let rules = JWT.Rules(issuer: "portal", audience: "api", maximumLifetime: 3600)
        let now = Date(timeIntervalSince1970: 1_768_470_000)
        #expect(try JWT.verify(token, keys: [try key(id: nil)], rules: rules, now: now) == claims)
        #expect(JWT.Key(secret: [1, 2, 3]) == nil)
    }
}
