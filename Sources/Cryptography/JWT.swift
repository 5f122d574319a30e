import Core
import FoundationEssentials

/// JSON Web Tokens signed with HS256 (RFC 7519, tightened as RFC 8725 advises).
///
/// The algorithm belongs to the key and the header must name it; `none` and keys inside the header do not exist here.
package struct JWT: Sendable {
    package struct Key: Sendable {
        /// The `kid`; a ring of several keys finds the right one by it.
        package let id: String?
        let mac: HMACKey

        /// Nil unless the secret has at least 32 bytes.
        package init?(id: String? = nil, secret: [UInt8]) {
            guard secret.count >= 32 else { return nil }
            self.id = id
            mac = HMACKey(secret)
        }
    }

    package struct Claims: Sendable, Equatable {
        package var issuer: String?
        package var subject: String?
        package var audience: String?
        /// Whole seconds since 1970, as all three times.
        package var issuedAt: Int?
        package var notBefore: Int?
        package var expires: Int
        package var identifier: String?
        /// Claims beyond the registered ones.
        package var others: [String: JSONValue]

        package init(
            issuer: String? = nil, subject: String? = nil, audience: String? = nil, issuedAt: Int? = nil,
            notBefore: Int? = nil, expires: Int, identifier: String? = nil, others: [String: JSONValue] = [:]
        ) {
            self.issuer = issuer
            self.subject = subject
            self.audience = audience
            self.issuedAt = issuedAt
            self.notBefore = notBefore
            self.expires = expires
            self.identifier = identifier
            self.others = others
        }
    }

    /// What a token must fulfil besides its signature.
    package struct Rules: Sendable {
        /// The exact `typ`.
        package var type: String
        package var issuer: String?
        package var audience: String?
        /// Seconds between `iat` and `exp` at most; `iat` is required when this is set.
        package var maximumLifetime: Int?
        /// Seconds that clocks may differ.
        package var skew: Int

        package init(
            type: String = "JWT", issuer: String? = nil, audience: String? = nil, maximumLifetime: Int? = nil,
            skew: Int = 30
        ) {
            self.type = type
            self.issuer = issuer
            self.audience = audience
            self.maximumLifetime = maximumLifetime
            self.skew = skew
        }
    }

    package enum Refusal: Error, Sendable, Equatable {
        case malformed, tooLong, wrongAlgorithm, wrongType, unknownKey, badSignature
        case expired, notYetValid, wrongIssuer, wrongAudience, livesTooLong
    }

    package static let maximumBytes = 4096

    /// A signed token for the claims.
    package static func issue(_ claims: Claims, key: Key, type: String = "JWT") -> String {
        var header: [String: JSONValue] = ["alg": .string("HS256"), "typ": .string(type)]
        if let id = key.id { header["kid"] = .string(id) }
        let signed = "\(encode(.object(header))).\(encode(.object(claims.members)))"
        return "\(signed).\(Base64URL.encode(key.mac.authenticate(Array(signed.utf8))))"
    }

    /// The claims of a token that one of the keys signed and that fulfils the rules at this time.
    package static func verify(
        _ token: String, keys: [Key], rules: Rules, now: Date
    ) throws(Refusal) -> Claims {
        guard token.utf8.count <= maximumBytes else { throw .tooLong }
        let parts: [Substring] = token.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let header = members(parts[0]), let signature = Base64URL.decode(parts[2])
        else { throw .malformed }
        let key: Key = try key(for: header, among: keys, rules: rules)
        let signed: [UInt8] = Array("\(parts[0]).\(parts[1])".utf8)
        guard key.mac.isValid(signature, for: signed) else { throw .badSignature }
        guard let members = members(parts[1]), let claims = Claims(members) else { throw .malformed }
        try check(claims, against: rules, at: Int(now.timeIntervalSince1970.rounded(.down)))
        return claims
    }

    private static func key(
        for header: [String: JSONValue], among keys: [Key], rules: Rules
    ) throws(Refusal) -> Key {
        guard header["alg"] == .string("HS256") else { throw .wrongAlgorithm }
        guard header["typ"] == .string(rules.type) else { throw .wrongType }
        guard header["crit"] == nil else { throw .malformed }
        switch header["kid"] {
        case nil:
            guard keys.count == 1 else { throw .unknownKey }
            return keys[0]
        case .string(let id)?:
            guard let key = keys.first(where: { $0.id == id }) else { throw .unknownKey }
            return key
        default:
            throw .malformed
        }
    }

    private static func check(_ claims: Claims, against rules: Rules, at now: Int) throws(Refusal) {
        if now >= claims.expires.addingClamped(rules.skew) { throw .expired }
        if let notBefore = claims.notBefore, now.addingClamped(rules.skew) < notBefore { throw .notYetValid }
        if let issuedAt = claims.issuedAt, now.addingClamped(rules.skew) < issuedAt { throw .notYetValid }
        if let issuer = rules.issuer, claims.issuer != issuer { throw .wrongIssuer }
        if let audience = rules.audience, claims.audience != audience { throw .wrongAudience }
        guard let limit = rules.maximumLifetime else { return }
        guard let issuedAt = claims.issuedAt, claims.expires <= issuedAt.addingClamped(limit) else {
            throw .livesTooLong
        }
    }

    private static func members(_ part: Substring) -> [String: JSONValue]? {
        guard let bytes = Base64URL.decode(part), case .object(let members)? = StrictJSON.parse(bytes)
        else { return nil }
        return members
    }

    private static func encode(_ value: JSONValue) -> String {
        var text = ""
        StrictJSON.write(value, to: &text)
        return Base64URL.encode(Array(text.utf8))
    }
}

extension Int {
    fileprivate func addingClamped(_ other: Int) -> Int {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? (other < 0 ? .min : .max) : sum
    }
}

extension JWT.Claims {
    private static let registered: Set<String> = ["iss", "sub", "aud", "iat", "nbf", "exp", "jti"]

    var members: [String: JSONValue] {
        var members: [String: JSONValue] = others.filter { !Self.registered.contains($0.key) }
        members["exp"] = .int(expires)
        if let issuer { members["iss"] = .string(issuer) }
        if let subject { members["sub"] = .string(subject) }
        if let audience { members["aud"] = .string(audience) }
        if let issuedAt { members["iat"] = .int(issuedAt) }
        if let notBefore { members["nbf"] = .int(notBefore) }
        if let identifier { members["jti"] = .string(identifier) }
        return members
    }

    /// Nil when `exp` is missing or a registered claim has another kind than it should.
    init?(_ members: [String: JSONValue]) {
        guard case .int(let expires)? = members["exp"] else { return nil }
        var numbers: [String: Int] = [:]
        for name in ["iat", "nbf"] {
            guard let value = members[name] else { continue }
            guard case .int(let number) = value else { return nil }
            numbers[name] = number
        }
        for name in ["iss", "sub", "aud", "jti"] {
            if let value = members[name], value.stringValue == nil { return nil }
        }
        self.init(
            issuer: members["iss"]?.stringValue, subject: members["sub"]?.stringValue,
            audience: members["aud"]?.stringValue, issuedAt: numbers["iat"], notBefore: numbers["nbf"],
            expires: expires, identifier: members["jti"]?.stringValue,
            others: members.filter { !Self.registered.contains($0.key) })
    }
}
