import Contacts
import Core
import Cryptography
import FoundationEssentials

package enum ActivityEventTag {}

/// What somebody did elsewhere, as the host product, the shop or the site tells it.
package struct ActivityEvent: Sendable {
    /// Who did it.
    package enum Person: Sendable {
        case contact(ContactID)
        /// Found by what is known of them, or made.
        case clues(PersonClues)
    }

    /// What the sender calls it; a repeated one is stored once.
    package let key: String?
    package let name: String
    package let person: Person
    package let properties: [String: JSONValue]
    package let occurredAt: Date
    /// Which way it came: `api`, `service`.
    package let source: String

    package init(
        key: String? = nil, name: String, person: Person, properties: [String: JSONValue] = [:], occurredAt: Date,
        source: String
    ) {
        self.key = key
        self.name = name
        self.person = person
        self.properties = properties
        self.occurredAt = occurredAt
        self.source = source
    }

    /// What a repeated event is recognised by: the first half of SHA-256 of the sender's id.
    var keyHash: UUID? {
        guard let key else { return nil }
        let hash: [UInt8] = SHA256.hash(key)
        return UUID(uuid: hash.withUnsafeBytes { $0.loadUnaligned(as: uuid_t.self) })
    }
}

/// What became of an event.
package enum ActivityOutcome: Sendable, Equatable {
    case stored(ContactID)
    /// It came before.
    case repeated
    /// The person is named by an id that nobody has.
    case unknownContact
    /// What is known of the person does not fit, such as a property of another type.
    case refused(ValidationErrors)
}

/// Bounds of events.
package enum ActivityLimits {
    /// Events in one request.
    package static let batch: Int = 500
    /// Characters of a name.
    package static let name: Int = 100
    /// Characters of an id.
    package static let key: Int = 200
    package static let properties: Int = 100
    /// Bytes of the properties of one event, roughly as JSON.
    package static let bytes: Int = 16 * 1024
    /// How late an event may come, in seconds: two years.
    package static let oldest: TimeInterval = 730 * 86_400
    /// How far ahead another machine's clock may be, in seconds.
    package static let skew: TimeInterval = 60
    /// How long ids are remembered, in seconds: 60 days.
    package static let memory: TimeInterval = 60 * 86_400
}
