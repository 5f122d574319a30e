import Core
import FoundationEssentials

/// A file that has arrived: looked at, in UTF-8, on disk.
struct SpooledUpload: Sendable {
    let path: String
    let byteCount: Int
    let encoding: TextEncoding
    let dialect: CSVDialect
    /// Nil when the first row is a person already.
    let header: [String]?
    let samples: [[String]]
    /// How many people there are, by the number of line ends outside quotes.
    let rowEstimate: Int
}

/// Takes a file in, block by block: writes it to the spool, looks at its encoding on the way, refuses what is no text.
final class UploadIntake {
    private let directory: String
    private let name: String
    private let limit: Int
    private var file: SpoolFile
    private var inspector = TextInspector()
    private var isFinished: Bool = false

    /// What is refused about a file, in words for the person who sent it.
    struct Refusal: Error, Sendable { let message: String }

    init(directory: String, name: String, limit: Int) throws {
        self.directory = directory
        self.name = name
        self.limit = limit
        try SpoolFile.makeDirectory(directory)
        file = try SpoolFile.create("\(directory)/\(name).upload")
    }

    deinit {
        if !isFinished { SpoolFile.remove(file.path) }
    }

    func take(_ chunk: [UInt8]) throws {
        guard inspector.byteCount + chunk.count <= limit else {
            throw Refusal(message: "The file is larger than \(limit >> 20) MB. Split it and import the parts.")
        }
        inspector.take(chunk)
        // An archive is refused with its first block, before gigabytes of it have travelled.
        if inspector.head.count >= 8, let message = inspector.refusal, !inspector.hasNUL || message.contains("zip") {
            throw Refusal(message: message)
        }
        try file.write(chunk)
    }

    func finish() throws -> SpooledUpload {
        if let message = inspector.refusal { throw Refusal(message: message) }
        var byteCount: Int = inspector.byteCount
        let encoding: TextEncoding = inspector.encoding
        if encoding != .utf8 { byteCount = try convert(from: encoding) }
        try file.flush()
        let head: [UInt8] = try beginning()
        let dialect: CSVDialect = .detect(head)
        let rows: [[String]] = CSVDialect.rows(head, delimiter: dialect.delimiter, limit: 21)
        guard let first = rows.first else { throw Refusal(message: "The file has no rows.") }
        guard first.count < CSVReader.maximumColumns else {
            throw Refusal(message: ImportFault.tooManyColumns.description)
        }
        isFinished = true
        return SpooledUpload(
            path: file.path, byteCount: byteCount, encoding: encoding, dialect: dialect,
            header: dialect.hasHeader ? first : nil, samples: Array(dialect.hasHeader ? rows.dropFirst() : rows[...]),
            rowEstimate: max(0, inspector.rowCount - (dialect.hasHeader ? 1 : 0)))
    }

    /// Rewrites the file in UTF-8, so that everything behind knows one encoding.
    private func convert(from encoding: TextEncoding) throws -> Int {
        let source = try SpoolFile.openForReading(file.path)
        let target = try SpoolFile.create("\(directory)/\(name).utf8")
        var transcoder = Transcoder(from: encoding)
        var block: [UInt8] = []
        var written: Int = 0
        while try source.read(into: &block) {
            let converted: [UInt8] = transcoder.convert(block)
            try target.write(converted)
            written += converted.count
            block.removeAll(keepingCapacity: true)
        }
        let rest: [UInt8] = transcoder.finish()
        try target.write(rest)
        SpoolFile.remove(file.path)
        file = target
        return written + rest.count
    }

    private func beginning() throws -> [UInt8] {
        let source = try SpoolFile.openForReading(file.path)
        var head: [UInt8] = []
        _ = try source.read(into: &head)
        // A row that is cut off by the end of the block would look short.
        if head.count == SpoolFile.block, let end = head.lastIndex(of: 10) { head.removeLast(head.count - end - 1) }
        return head
    }
}
