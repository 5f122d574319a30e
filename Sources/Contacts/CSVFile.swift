import Core

/// A file of comma-separated values that was sent to the portal, for slices above: streamed to the spool, its encoding and
/// delimiter recognised, then read row by row. The file is removed with the last reference.
package final class CSVFile {
    /// What is refused about a file, in words for the person who sent it.
    package struct Refusal: Error, Sendable {
        package let message: String

        package init(message: String) {
            self.message = message
        }
    }

    package struct Row: Sendable {
        /// Counted from 1, as an editor counts, with the heading.
        package let number: Int
        package let cells: [String]
        /// Why the row cannot be used; nil for a good one.
        package let flaw: String?

        package init(number: Int, cells: [String], flaw: String?) {
            self.number = number
            self.cells = cells
            self.flaw = flaw
        }
    }

    /// The headings; nil when the first row is data.
    package let header: [String]?
    private let path: String
    private var reader: CSVReader
    private var row: Int = 0

    /// - Parameters:
    ///   - directory: the spool.
    ///   - limit: in bytes.
    ///   - next: the blocks of the upload, nil at the end.
    /// - Throws: `Refusal` for a file that is none or too large.
    package init(
        directory: String, name: String, limit: Int, isolation: isolated (any Actor)? = #isolation,
        next: () async throws -> [UInt8]?
    ) async throws {
        do {
            let intake = try UploadIntake(directory: directory, name: name, limit: limit)
            while let block = try await next() { try intake.take(block) }
            let upload: SpooledUpload = try intake.finish()
            path = upload.path
            header = upload.header
            reader = CSVReader(
                source: try SpoolFile.openForReading(upload.path), delimiter: upload.dialect.delimiter)
        } catch let refusal as UploadIntake.Refusal {
            throw Refusal(message: refusal.message)
        }
    }

    deinit { SpoolFile.remove(path) }

    /// The next row of data, blank lines left out; nil at the end.
    package func next() throws -> Row? {
        while try reader.next() {
            row += 1 + reader.blankLines
            if row == 1 + reader.blankLines, header != nil { continue }
            if reader.record.isBlankLine { continue }
            let flaw: String? = reader.record.flaw.map(Self.words)
            return Row(number: row, cells: reader.record.texts, flaw: flaw)
        }
        return nil
    }

    private static func words(_ flaw: CSVRecord.Flaw) -> String {
        switch flaw {
        case .openQuote: "A quote in this row never ends."
        case .cellTooLong: "A cell is longer than 64 KB."
        case .tooManyColumns: "The row has too many columns."
        }
    }
}
