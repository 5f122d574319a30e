import FoundationEssentials

/// An id that knows what it identifies, so that a list's id cannot be passed where a contact's is wanted.
///
/// Ids are UUIDs of version 7 (RFC 9562 §5.7): they sort by the time they were made.
package struct Identifier<Entity>: Hashable, Sendable {
    package let uuid: UUID

    package init(_ uuid: UUID) {
        self.uuid = uuid
    }

    /// Reads the canonical 36-character form; anything else is nil.
    package init?(_ text: some StringProtocol) {
        guard let uuid = UUID(canonical: String(text)) else { return nil }
        self.uuid = uuid
    }
}

extension Identifier: CustomStringConvertible {
    /// The canonical lower-case form (RFC 9562 §4).
    package var description: String {
        uuid.lowercased
    }
}

extension Identifier: Comparable {
    package static func < (left: Self, right: Self) -> Bool {
        withUnsafeBytes(of: left.uuid.uuid) { leftBytes in
            withUnsafeBytes(of: right.uuid.uuid) { rightBytes in leftBytes.lexicographicallyPrecedes(rightBytes) }
        }
    }
}

extension Identifier: Codable {
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let id = Identifier(text) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "Not a UUID")
        }
        self = id
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}

// What the ids stand for. The tags are empty: a slice's own types may change without touching the ids.
package enum WorkspaceTag {}
package enum UserTag {}
package enum ContactTag {}
package enum ContactListTag {}
package enum ContactImportTag {}
package enum CompanyTag {}
package enum CampaignTag {}
package enum SendTag {}
package enum MessageTag {}
package enum LinkTag {}
package enum JobTag {}

package typealias WorkspaceID = Identifier<WorkspaceTag>
package typealias UserID = Identifier<UserTag>
package typealias ContactID = Identifier<ContactTag>
package typealias ContactListID = Identifier<ContactListTag>
package typealias ContactImportID = Identifier<ContactImportTag>
package typealias CompanyID = Identifier<CompanyTag>
package typealias CampaignID = Identifier<CampaignTag>
package typealias SendID = Identifier<SendTag>
package typealias MessageID = Identifier<MessageTag>
package typealias LinkID = Identifier<LinkTag>
package typealias JobID = Identifier<JobTag>
