/// An e-mail address that SMTP can deliver to (RFC 5321 §4.1.2, RFC 6531 for other alphabets).
///
/// Stricter than the grammar where the grammar allows what no marketing mail should be sent to: an address literal
/// (`a@[192.0.2.1]`), a comment, a domain without a dot. The local part stays as typed; people are matched on `key`.
package struct EmailAddress: Sendable {
    /// The part before the `@`, as typed, with its quotes where it has any.
    package let localPart: String
    /// The domain as typed.
    package let domain: String
    /// The domain in lower-case ASCII (UTS #46, non-transitional): what DNS and SMTP are asked for.
    package let asciiDomain: String
    /// The one spelling that all spellings of this address share: lower case, ASCII domain. Unique per workspace.
    package let key: String

    /// Octets, RFC 5321 §4.5.3.1.1.
    package static let maximumLocalLength: Int = 64
    /// Octets, from the 256-octet path limit of RFC 5321 §4.5.3.1.3 less its two angle brackets.
    package static let maximumLength: Int = 254

    /// Reads an address; white space around it is dropped.
    package init(parsing text: some StringProtocol) throws(Flaw) {
        let utf8: [UInt8] = EmailSyntax.trimmed(Array(text.utf8))
        guard !utf8.isEmpty else { throw .empty }
        guard let at = utf8.lastIndex(of: UInt8(ascii: "@")) else { throw .missingAt }
        let local: ArraySlice<UInt8> = utf8[..<at]
        let host: ArraySlice<UInt8> = utf8[(at + 1)...]
        try EmailSyntax.checkLocalPart(local)
        let ascii: String = try EmailSyntax.asciiDomain(host)
        guard local.count + 1 + max(host.count, ascii.utf8.count) <= Self.maximumLength else { throw .tooLong }
        localPart = String(decoding: local, as: UTF8.self)
        domain = String(decoding: host, as: UTF8.self)
        asciiDomain = ascii
        key = EmailSyntax.canonicalLocalPart(local) + "@" + ascii
    }

    /// Whether the local part needs a server that speaks SMTPUTF8 (RFC 6531).
    package var needsSMTPUTF8: Bool {
        localPart.utf8.contains { $0 >= 0x80 }
    }

    /// The form for SMTP commands and headers: the local part as typed, the domain in ASCII.
    package var wireForm: String { localPart + "@" + asciiDomain }
}

extension EmailAddress {
    /// An address as it may be shown to whoever holds a link, which may be somebody to whom a message was forwarded: enough
    /// for its owner to know it, too little for others to write to. `ana@example.com` becomes `a•••@example.com`.
    package static func masked(_ address: String) -> String {
        guard let at = address.lastIndex(of: "@") else { return "•••" }
        return address[..<at].prefix(1) + "•••" + address[at...]
    }
}

extension EmailAddress: CustomStringConvertible {
    /// As typed.
    package var description: String { localPart + "@" + domain }
}

extension EmailAddress: Hashable {
    package static func == (left: Self, right: Self) -> Bool { left.key == right.key }

    package func hash(into hasher: inout Hasher) { hasher.combine(key) }
}

extension EmailAddress: Codable {
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text: String = try container.decode(String.self)
        do {
            try self.init(parsing: text)
        } catch {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: error.message)
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}

extension EmailAddress {
    /// What is wrong with an address, in words for the person who typed it.
    package enum Flaw: String, Error, Sendable, CaseIterable {
        case empty, missingAt, severalAts, emptyLocalPart, emptyDomain, localPartTooLong, tooLong
        case space, forbiddenCharacter, dotPlacement, quoting
        case domainWithoutDot, domainDotPlacement, domainCharacter, domainLabelTooLong, domainHyphen, addressLiteral
        case numericTopLevel, domainName

        package var message: String {
            switch self {
            case .empty: "Enter an e-mail address."
            case .missingAt: "An e-mail address needs an @, like name@example.com."
            case .severalAts: "An e-mail address has only one @."
            case .emptyLocalPart: "Something is missing before the @."
            case .emptyDomain: "The domain after the @ is missing, like example.com."
            case .localPartTooLong: "The part before the @ is longer than 64 characters."
            case .tooLong: "The address is longer than 254 characters."
            case .space: "An e-mail address has no spaces."
            case .forbiddenCharacter: "The part before the @ has a character that e-mail addresses do not allow."
            case .dotPlacement: "The part before the @ cannot begin or end with a dot or have two dots in a row."
            case .quoting: "The quotation marks before the @ do not match up."
            case .domainWithoutDot: "The domain is incomplete. It needs an ending like .com."
            case .domainDotPlacement: "The domain cannot begin or end with a dot or have two dots in a row."
            case .domainCharacter: "The domain has a character that domains do not allow."
            case .domainLabelTooLong: "A part of the domain is longer than 63 characters."
            case .domainHyphen: "A part of the domain begins or ends with a hyphen."
            case .addressLiteral: "An IP address cannot stand in for the domain."
            case .numericTopLevel: "A domain cannot end with a number."
            case .domainName: "The domain is not a valid international domain name."
            }
        }
    }
}

extension EmailAddress.Flaw: CustomStringConvertible {
    package var description: String { message }
}
