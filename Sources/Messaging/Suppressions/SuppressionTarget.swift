import Core

/// What is not written to: an address, a whole domain, a phone number.
package enum SuppressionKind: String, Sendable, CaseIterable {
    case email, domain, phone
    /// The hash of an address that was erased.
    case erased

    package var label: String {
        switch self {
        case .email: "Address"
        case .domain: "Domain"
        case .phone: "Phone number"
        case .erased: "Erased"
        }
    }
}

/// The one spelling under which something is suppressed. Its first character tells what it is: `@` a domain, `+` a number,
/// `#` a hash, anything else an address.
package struct SuppressionTarget: Sendable, Equatable {
    package let key: String
    package let kind: SuppressionKind

    /// Reads what somebody typed: `ana@example.com`, `example.com`, `@example.com`, `+49 171 …`.
    /// - Parameter kind: what it must be; nil to tell from the text.
    package init(parsing text: String, as kind: SuppressionKind? = nil) throws(ValidationErrors) {
        // The apostrophe keeps a spreadsheet from running a cell; exports write it.
        var typed: String = text.trimmed
        if typed.hasPrefix("'") { typed.removeFirst() }
        switch kind ?? Self.kind(of: typed) {
        case .domain:
            let name: Substring = typed.drop { $0 == "@" }
            guard let address = try? EmailAddress(parsing: "x@" + name), name.contains(".") else {
                throw ValidationErrors("domain", "This is no domain. Write it like example.com.")
            }
            key = "@" + address.asciiDomain.lowercased()
            self.kind = .domain
        case .phone:
            do throws(PhoneNumber.Flaw) {
                key = try PhoneNumber(parsing: typed).e164
            } catch {
                throw ValidationErrors("phone", error.message)
            }
            self.kind = .phone
        case .email, .erased:
            do throws(EmailAddress.Flaw) {
                key = try EmailAddress(parsing: typed).key
            } catch {
                throw ValidationErrors("email", error.message)
            }
            self.kind = .email
        }
    }

    private static func kind(of typed: String) -> SuppressionKind {
        if typed.hasPrefix("@") { return .domain }
        if typed.contains("@") { return .email }
        if typed.hasPrefix("+") || typed.first?.isNumber == true, !typed.contains(where: \.isLetter) { return .phone }
        return typed.contains(".") ? .domain : .email
    }

    /// As people read it: without the `@` of a domain.
    package static func shown(_ key: String, _ kind: SuppressionKind) -> String {
        switch kind {
        case .domain: String(key.dropFirst())
        case .erased: "An erased address or number"
        case .email, .phone: key
        }
    }
}
