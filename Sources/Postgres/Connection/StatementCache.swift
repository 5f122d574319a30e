/// Which statements the server holds prepared on one connection; the least recently used one goes first.
struct StatementCache {
    struct Key: Hashable {
        let text: [UInt8]
        let types: [PostgresType]

        /// The length and both ends tell almost all statements apart; equality compares everything.
        func hash(into hasher: inout Hasher) {
            hasher.combine(text.count)
            hasher.combine(types.count)
            for byte in text.prefix(48) { hasher.combine(byte) }
            for byte in text.suffix(24) { hasher.combine(byte) }
        }
    }

    final class Entry {
        let key: Key
        /// What the server calls it.
        let name: String
        var isPrepared: Bool = false
        fileprivate var lastUse: UInt64 = 0

        init(key: Key, name: String) {
            self.key = key
            self.name = name
        }
    }

    private let capacity: Int
    private var entries: [Key: Entry] = [:]
    private var uses: UInt64 = 0
    private var made: UInt64 = 0
    /// Names to deallocate at the next opportunity.
    private(set) var evicted: [String] = []

    init(capacity: Int) {
        self.capacity = max(1, capacity)
    }

    var count: Int { entries.count }

    mutating func entry(for sql: SQL) -> Entry {
        uses += 1
        let key = Key(text: sql.text, types: sql.binds.map(\.type))
        if let entry = entries[key] {
            entry.lastUse = uses
            return entry
        }
        if entries.count >= capacity, let oldest = entries.values.min(by: { $0.lastUse < $1.lastUse }) {
            remove(oldest)
        }
        made += 1
        let entry = Entry(key: key, name: "p\(made)")
        entry.lastUse = uses
        entries[key] = entry
        return entry
    }

    mutating func remove(_ entry: Entry) {
        entries[entry.key] = nil
        if entry.isPrepared { evicted.append(entry.name) }
    }

    mutating func takeEvicted() -> [String] {
        defer { evicted = [] }
        return evicted
    }

    /// The connection is new: nothing is prepared on it.
    mutating func reset() {
        entries = [:]
        evicted = []
    }

    /// After a change of tables the server refuses old plans; all are prepared anew.
    mutating func evictAll() {
        for entry in entries.values where entry.isPrepared { evicted.append(entry.name) }
        entries = [:]
    }
}
