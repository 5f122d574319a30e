import Accounts
import Core
import FoundationEssentials

/// A record as another system tells of it.
protocol SyncedRecord: Sendable {
    /// The record in the other system: `sourceType` and `sourceId`.
    var key: ExternalIdentity { get }
    /// When the other system changed the record; nil: now.
    var updatedAt: Date? { get }
    /// Whether the record is gone there.
    var isDeleted: Bool { get }
    /// A null takes the property away.
    var properties: [String: JSONValue] { get set }
}

/// One batch: decides record by record in memory, then writes everything.
protocol SyncRun {
    associatedtype Row: SyncedRecord

    var services: AppServices { get }
    /// The properties that such records have.
    var catalog: PropertyCatalog { get set }
    var links: SyncLinkBook { get set }

    mutating func delete(_ key: ExternalIdentity, _ at: Date) -> SyncOutcome
    mutating func upsert(_ row: Row, _ at: Date) -> SyncOutcome
}

extension SyncRun {
    /// What becomes of a record. One that is older than what is known of it changes nothing.
    mutating func settle(_ row: Row) -> SyncOutcome {
        let link: SyncLink? = links[row.key]
        if let at = row.updatedAt, let known = link?.updatedAt, at < known {
            return SyncOutcome(.stale, id: link.flatMap { $0.isDeleted ? nil : $0.target })
        }
        let at: Date = row.updatedAt ?? services.clock.now
        if row.isDeleted { return delete(row.key, at) }
        var row: Row = row
        var errors = ValidationErrors()
        row.properties = catalog.take(row.properties, &errors)
        guard errors.isEmpty else { return SyncOutcome(.failed, reason: SyncOutcome.words(errors)) }
        return upsert(row, at)
    }
}

/// For whom the records of a batch stand, as it goes on.
struct SyncLinkBook {
    private var links: [ExternalIdentity: SyncLink]
    /// The records that stand for each contact or company, as far as it may be deleted.
    private var living: [UUID: Set<ExternalIdentity>]
    /// What is to be written.
    private(set) var changed: [ExternalIdentity: SyncLink] = [:]

    init(_ links: [ExternalIdentity: SyncLink], living: [UUID: Set<ExternalIdentity>]) {
        self.links = links
        self.living = living
    }

    subscript(key: ExternalIdentity) -> SyncLink? { links[key] }

    mutating func set(_ key: ExternalIdentity, to target: UUID, _ at: Date) {
        note(key, SyncLink(target: target, updatedAt: at, isDeleted: false))
        living[target, default: []].insert(key)
    }

    /// The record stands for nobody any more; that it did for this owner, or for whom it was last known, is kept.
    mutating func delete(_ key: ExternalIdentity, of owner: UUID?, _ at: Date) {
        note(key, SyncLink(target: owner ?? links[key]?.target ?? SyncLink.nobody, updatedAt: at, isDeleted: true))
        if let owner { living[owner]?.remove(key) }
    }

    /// Whether some record still stands for it.
    func stands(forAnother target: UUID) -> Bool { living[target]?.isEmpty == false }

    private mutating func note(_ key: ExternalIdentity, _ link: SyncLink) {
        if links[key] != link { changed[key] = link }
        links[key] = link
    }
}
