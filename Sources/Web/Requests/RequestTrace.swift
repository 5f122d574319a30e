/// Which request the present work belongs to, for records of deeds: set around each handler, absent in jobs.
package struct RequestTrace: Sendable {
    /// As it stands in the log and on error pages.
    package let id: String
    /// Where it came from, cut to a network: the first three bytes of an IPv4 address, the first 48 bits of an IPv6 one.
    package let network: String

    @TaskLocal package static var current: RequestTrace?

    package init(id: String, address: String) {
        self.id = id
        network = Self.network(of: address)
    }

    /// `192.0.2.7` is `192.0.2.0/24`, `2001:db8:1:2::3` is `2001:db8:1::/48`; empty for anything else.
    package static func network(of address: String) -> String {
        let plain: Substring = address.split(separator: "%", maxSplits: 1).first ?? ""
        let dotted: Substring = plain.hasPrefix("::ffff:") ? plain.dropFirst(7) : plain
        let bytes: [Substring] = dotted.split(separator: ".", omittingEmptySubsequences: false)
        if bytes.count == 4, bytes.allSatisfy({ UInt8($0) != nil }) {
            return bytes.prefix(3).joined(separator: ".") + ".0/24"
        }
        guard plain.contains(":") else { return "" }
        let halves: [String] = plain.description.split(separator: "::", maxSplits: 1, omittingEmptySubsequences: false)
            .map(String.init)
        var groups: [Substring] = halves[0].split(separator: ":")
        if halves.count == 2 {
            let tail: Int = halves[1].split(separator: ":").count
            while groups.count + tail < 8, groups.count < 3 { groups.append("0") }
        }
        guard groups.count >= 3, groups.prefix(3).allSatisfy({ UInt16($0, radix: 16) != nil }) else { return "" }
        let first: [String] = groups.prefix(3).map { String(UInt16($0, radix: 16) ?? 0, radix: 16) }
        return first.joined(separator: ":") + "::/48"
    }
}
