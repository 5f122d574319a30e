import Core
import FoundationEssentials
import Postgres

/// Some thousand rows of a file, checked and packed for one transaction.
struct ImportChunk: Sendable {
    /// How many rows a chunk of a new import has. An import keeps the number it began with, so that its file falls into the
    /// same chunks after a crash.
    static let usualRows: Int = 5000

    let number: Int
    var endOffset: Int = 0
    var endRow: Int = 0
    /// Rows read from the file: people, repeats and failures.
    var rowCount: Int = 0
    /// People to be inserted or matched.
    var personCount: Int = 0
    /// Rows about somebody who stands earlier in this chunk; they were merged into that row.
    var repeatCount: Int = 0
    var firstID: ContactID?
    var lastID: ContactID?
    /// Somebody has no address and must be matched by phone number.
    var hasPeopleWithoutEmail: Bool = false
    var keyHashes: Set<UInt64> = []
    var failures: [ImportFailure] = []

    var ids = PackedIDs()
    var keys = PackedText()
    /// Addresses that are written otherwise than their key; null where key and address are the same.
    var emails = PackedText()
    var phones = PackedText()
    var firstNames = PackedText()
    var lastNames = PackedText()
    var tags = PackedText()
    var properties = PackedJSON()
    /// The companies that rows name, and for each person which of them: its place, or -1.
    var companies: [ImportCompany] = []
    var companyPlaces: [Int] = []
    private var companyIndex: [ImportCompany: Int] = [:]

    init(number: Int) {
        self.number = number
    }

    /// Notes which company the next person names.
    mutating func append(company name: String?, domain: String?, places: Bool) {
        guard places else { return }
        guard name != nil || domain != nil else {
            companyPlaces.append(-1)
            return
        }
        let company = ImportCompany(name: name, domain: domain)
        if let known = companyIndex[company] {
            companyPlaces.append(known)
        } else {
            companyIndex[company] = companies.count
            companyPlaces.append(companies.count)
            companies.append(company)
        }
    }

    func overlaps(_ other: ImportChunk) -> Bool {
        !keyHashes.isDisjoint(with: other.keyHashes)
    }
}

/// A company as rows of a file name it: by name, by domain, or both.
struct ImportCompany: Sendable, Hashable {
    let name: String?
    /// Lower case, ASCII, nobody's free-mail domain.
    let domain: String?
}

/// A row that cannot be imported.
struct ImportFailure: Sendable, Equatable {
    /// As a spreadsheet counts: the heading is row 1.
    let row: Int
    let reason: String
    /// The row as CSV.
    let line: String
}

/// The same as `PackedText` for `uuid[]`.
struct PackedIDs: PostgresEncodable {
    static var postgresType: PostgresType { .uuidArray }
    private(set) var packed = Packed(element: .uuid)

    mutating func append(_ id: ContactID) {
        withUnsafeBytes(of: id.uuid.uuid) { packed.append($0.bindMemory(to: UInt8.self), prefix: nil) }
    }

    func encode(into bytes: inout [UInt8]) throws -> Bool { packed.encode(into: &bytes) }
}

/// Makes ids that ascend with the rows, so that people are listed in the file's order and land side by side in the
/// index.
struct AscendingIDs {
    private var millisecond: Int64 = 0
    private var sequence: UInt64 = 0
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    /// Starts again at the time; never behind an id that was made already.
    mutating func begin(at date: Date) {
        millisecond = max(Int64(date.timeIntervalSince1970 * 1000), millisecond + 1)
        sequence = 0
    }

    mutating func next() -> ContactID {
        if sequence == 4096 {
            sequence = 0
            millisecond += 1
        }
        // SplitMix64: ids are no secrets, they only must not collide.
        state &+= 0x9E37_79B9_7F4A_7C15
        var random: UInt64 = state
        random = (random ^ (random >> 30)) &* 0xBF58_476D_1CE4_E5B9
        random = (random ^ (random >> 27)) &* 0x94D0_49BB_1331_11EB
        let date = Date(timeIntervalSince1970: (Double(millisecond) + 0.5) / 1000)
        let id = ContactID(.version7(at: date, high: sequence, low: random ^ (random >> 31)))
        sequence += 1
        return id
    }
}
