import Core
import FoundationEssentials

/// What tells who somebody is, and how sure it makes: 100 is certain.
package enum IdentifierKind: String, Sendable, Encodable, CaseIterable {
    /// The id of their account with the host product.
    case userId
    /// Their id in another system.
    case externalId
    case email, phone

    /// How sure a match by it is, out of 100.
    package var confidence: Int {
        switch self {
        case .userId, .externalId: 100
        case .email: 95
        case .phone: 85
        }
    }
}

/// An id in another system.
package struct ExternalIdentity: Sendable, Hashable {
    /// The system that gave it; empty where there is only one.
    package let source: String
    package let value: String

    package init(source: String = "", value: String) {
        self.source = source
        self.value = value
    }
}

/// What is known of somebody who is to be found, and what a blank record of them would be filled with.
package struct PersonClues: Sendable, Equatable {
    /// The id of their account.
    package var userID: String?
    package var externals: [ExternalIdentity] = []
    package var email: EmailAddress?
    package var phone: PhoneNumber?
    package var firstName: String?
    package var lastName: String?
    package var properties: [String: JSONValue] = [:]

    package init(
        userID: String? = nil, externals: [ExternalIdentity] = [], email: EmailAddress? = nil,
        phone: PhoneNumber? = nil
    ) {
        self.userID = userID
        self.externals = externals
        self.email = email
        self.phone = phone
    }

    /// Whether nothing tells who it is.
    package var isEmpty: Bool { userID == nil && externals.isEmpty && email == nil && phone == nil }
}

/// Who somebody turned out to be.
package struct IdentityMatch: Sendable, Equatable {
    /// Somebody else who fits one of the clues.
    package struct Conflict: Sendable, Equatable {
        package let contact: ContactID
        package let kind: IdentifierKind
    }

    package let contact: ContactID
    package let isNew: Bool
    /// The strongest clue that fits; nil for a person who was made.
    package let matchedBy: IdentifierKind?
    /// Other people whom other clues fit, the strongest first. They are suggested as duplicates.
    package let conflicts: [Conflict]
}

/// One row of the table of identities, without whose it is.
struct IdentityKey: Sendable, Hashable {
    /// As stored. Addresses and numbers are those that a person had before a merge.
    enum Kind: String, Sendable {
        case user, external, email, phone
    }

    let kind: Kind
    let source: String
    let value: String

    static func user(_ id: String) -> IdentityKey { IdentityKey(kind: .user, source: "", value: id) }

    static func external(_ id: ExternalIdentity) -> IdentityKey {
        IdentityKey(kind: .external, source: id.source, value: id.value)
    }

    static func formerEmail(_ key: String) -> IdentityKey { IdentityKey(kind: .email, source: "", value: key) }

    static func formerPhone(_ number: String) -> IdentityKey { IdentityKey(kind: .phone, source: "", value: number) }
}
