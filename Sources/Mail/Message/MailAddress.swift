import Core

/// A mailbox as it stands in a header: an address and, where there is one, a name.
package struct MailAddress: Sendable, Equatable {
    package let name: String
    package let address: EmailAddress

    package init(name: String = "", address: EmailAddress) {
        self.name = name
        self.address = address
    }
}

/// The last check before an address becomes part of an SMTP command or a header.
package enum WireAddress {
    /// ASCII without spaces, angle brackets and controls, one `@` outside quotes, and within SMTP's limits.
    ///
    /// An address of another alphabet passes only in its ASCII form (`EmailAddress.wireForm`).
    package static func isSafe(_ address: String) -> Bool {
        var count = 0
        var at = -1
        for byte in address.utf8 {
            guard byte > 32, byte < 127, byte != UInt8(ascii: "<"), byte != UInt8(ascii: ">") else { return false }
            if byte == UInt8(ascii: "@") { at = count }
            count += 1
        }
        return at > 0 && at <= 64 && at < count - 1 && count <= 254
    }
}
