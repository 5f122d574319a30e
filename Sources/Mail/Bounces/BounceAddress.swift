import Core

/// The return address of one delivery, `bounce+<delivery>-<mac>@domain`: a bounce names its delivery even when its text
/// cannot be read, and nobody else can make such an address.
package struct BounceAddress: Sendable {
    package let domain: String
    private let authenticate: @Sendable ([UInt8]) -> [UInt8]

    /// - Parameters:
    ///   - domain: where bounces arrive, in ASCII.
    ///   - authenticate: HMAC-SHA256 with the portal's key.
    package init(domain: String, authenticate: @escaping @Sendable ([UInt8]) -> [UInt8]) {
        self.domain = domain
        self.authenticate = authenticate
    }

    /// The first 5 bytes of the tag over `bounce:` and the id, in base 32.
    private func tag(_ delivery: String) -> String {
        Base32.encode(authenticate(Array("bounce:\(delivery)".utf8)).prefix(5))
    }

    /// - Parameter delivery: lower-case letters, digits and hyphens, at most 48 of them.
    /// - Returns: nil for an id that does not fit a local part.
    package func address(for delivery: String) -> String? {
        guard Self.isDelivery(delivery) else { return nil }
        return "bounce+\(delivery)-\(tag(delivery))@\(domain)"
    }

    /// The delivery that an address names, or nil when we did not make it. Case does not matter, and the first `+`
    /// may have
    /// become a `-` on the way.
    package func delivery(of address: String) -> String? {
        let folded: String = address.lowercased()
        let halves: [Substring] = folded.split(separator: "@", omittingEmptySubsequences: false)
        guard halves.count == 2, halves[1] == domain.lowercased(), halves[0].utf8.count <= 64,
            halves[0].hasPrefix("bounce+") || halves[0].hasPrefix("bounce-"),
            let hyphen = halves[0].lastIndex(of: "-")
        else { return nil }
        let body: Substring = halves[0].dropFirst(7)
        guard hyphen > body.startIndex else { return nil }
        let delivery = String(body[..<hyphen])
        guard Self.isDelivery(delivery) else { return nil }
        return Self.isEqual(String(body[body.index(after: hyphen)...]), tag(delivery)) ? delivery : nil
    }

    private static func isDelivery(_ text: String) -> Bool {
        (1...48).contains(text.utf8.count)
            && text.utf8.allSatisfy {
                (97...122).contains($0) || (48...57).contains($0) || $0 == UInt8(ascii: "-")
            }
    }

    /// Compares without stopping at the first difference.
    private static func isEqual(_ left: String, _ right: String) -> Bool {
        guard left.utf8.count == right.utf8.count else { return false }
        return zip(left.utf8, right.utf8).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
    }
}
