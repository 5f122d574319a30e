import Glibc

/// Decides which addresses a URL given by a user may lead to: only such as belong to the public internet.
///
/// Library functions that ask "is it global" let multicast, NAT64, 6to4 and others through, so the ranges stand here
/// (IANA special-purpose registries).
package enum AddressGuard {
    private struct Network {
        let bytes: [UInt8]
        let length: Int

        func contains(_ address: [UInt8]) -> Bool {
            guard address.count == bytes.count else { return false }
            let whole: Int = length / 8
            if address[..<whole] != bytes[..<whole] { return false }
            let rest: Int = length % 8
            guard rest > 0 else { return true }
            let mask: UInt8 = 0xFF << UInt8(8 - rest)
            return address[whole] & mask == bytes[whole] & mask
        }
    }

    private static func v4(_ a: UInt8, _ b: UInt8, _ c: UInt8, _ length: Int) -> Network {
        Network(bytes: [a, b, c, 0], length: length)
    }

    private static func v6(_ start: [UInt8], _ length: Int) -> Network {
        Network(bytes: start + [UInt8](repeating: 0, count: 16 - start.count), length: length)
    }

    private static let closedV4: [Network] = [
        v4(0, 0, 0, 8), v4(10, 0, 0, 8), v4(100, 64, 0, 10), v4(127, 0, 0, 8), v4(169, 254, 0, 16), v4(172, 16, 0, 12),
        v4(192, 0, 0, 24), v4(192, 0, 2, 24), v4(192, 88, 99, 24), v4(192, 168, 0, 16), v4(198, 18, 0, 15),
        v4(198, 51, 100, 24), v4(203, 0, 113, 24), v4(224, 0, 0, 4), v4(240, 0, 0, 4),
    ]

    /// Of IPv6 only 2000::/3 is global unicast; within it these are not.
    private static let globalV6: Network = v6([0x20], 3)
    private static let closedV6: [Network] = [
        // Teredo, ORCHID and other protocol assignments.
        v6([0x20, 0x01, 0x00], 23),
        // Documentation.
        v6([0x20, 0x01, 0x0D, 0xB8], 32), v6([0x3F, 0xFF, 0x00], 20),
        // 6to4, which carries any IPv4 address.
        v6([0x20, 0x02], 16),
        // The retired 6bone.
        v6([0x3F, 0xFE], 16),
    ]

    /// - Parameter address: 4 or 16 bytes in network order.
    package static func isPublic(_ address: [UInt8]) -> Bool {
        switch address.count {
        case 4: !closedV4.contains { $0.contains(address) }
        case 16: globalV6.contains(address) && !closedV6.contains { $0.contains(address) }
        default: false
        }
    }

    /// Whether the host of a URL may be tried at all. A name passes when it has a dot; what it leads to is checked when
    /// the connection is made.
    /// - Parameter host: as it stands in the URL, IPv6 in brackets.
    package static func allows(host: String) -> Bool {
        if host.hasPrefix("[") {
            guard host.hasSuffix("]"), let address = parseV6(String(host.dropFirst().dropLast())) else { return false }
            return isPublic(address)
        }
        if let address = parseV4(host) { return isPublic(address) }
        let name: String = host.hasSuffix(".") ? String(host.dropLast()).lowercased() : host.lowercased()
        guard name.utf8.count <= 253, name.contains("."), !name.hasPrefix("."), !name.hasSuffix(".") else {
            return false
        }
        let last: Substring = name.split(separator: ".").last ?? ""
        let isInternal: Bool = ["localhost", "local", "internal", "localdomain", "home", "lan"].contains(String(last))
        return !isInternal && name.utf8.allSatisfy(isNameByte)
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        (97...122).contains(byte) || (48...57).contains(byte) || byte == 45 || byte == 46 || byte == 95
    }

    /// Every form that system resolvers read as an IPv4 address: one to four numbers, each decimal, octal or
    /// hexadecimal.
    static func parseV4(_ host: String) -> [UInt8]? {
        var parts: [Substring] = host.split(separator: ".", omittingEmptySubsequences: false)
        if parts.count > 1, parts.last?.isEmpty == true { parts.removeLast() }
        guard (1...4).contains(parts.count) else { return nil }
        var numbers: [UInt64] = []
        for part in parts {
            guard let number = number(part) else { return nil }
            numbers.append(number)
        }
        let lastLimit: UInt64 = 1 << UInt64(8 * (5 - numbers.count))
        guard numbers.dropLast().allSatisfy({ $0 < 256 }), let last = numbers.last, last < lastLimit else {
            // A number out of range names nothing; it must not pass for a host name either.
            return [0, 0, 0, 0]
        }
        var value: UInt64 = last
        for (index, number) in numbers.dropLast().enumerated() { value |= number << UInt64(24 - 8 * index) }
        return [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> UInt64($0)) }
    }

    private static func number(_ text: Substring) -> UInt64? {
        if text.lowercased().hasPrefix("0x") {
            let digits: Substring = text.dropFirst(2)
            return digits.isEmpty ? 0 : UInt64(digits, radix: 16)
        }
        guard !text.isEmpty, text.utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
        let radix: Int = text.count > 1 && text.hasPrefix("0") ? 8 : 10
        return UInt64(text, radix: radix) ?? UInt64(text) ?? .max
    }

    static func parseV6(_ text: String) -> [UInt8]? {
        var address = in6_addr()
        guard inet_pton(AF_INET6, text, &address) == 1 else { return nil }
        return withUnsafeBytes(of: &address) { Array($0) }
    }

    /// The bytes of a socket address; nil for anything but IPv4 and IPv6.
    static func bytes(of address: UnsafeRawPointer, family: Int32) -> [UInt8]? {
        switch family {
        case AF_INET:
            var inner: in_addr = address.loadUnaligned(as: sockaddr_in.self).sin_addr
            return withUnsafeBytes(of: &inner) { Array($0) }
        case AF_INET6:
            var inner: in6_addr = address.loadUnaligned(as: sockaddr_in6.self).sin6_addr
            return withUnsafeBytes(of: &inner) { Array($0) }
        default: return nil
        }
    }
}
