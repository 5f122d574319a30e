import FoundationEssentials

/// One file of `migrations/`: `NNNN_name.sql`.
package struct MigrationFile: Sendable, Equatable {
    package let number: Int
    /// The file's name without `.sql`.
    package let name: String
    package let text: String

    /// The first line says `-- no-transaction`: for what cannot run inside one, `CREATE INDEX CONCURRENTLY`.
    package var runsInTransaction: Bool {
        !text.hasPrefix("-- no-transaction")
    }

    package init(number: Int, name: String, text: String) {
        self.number = number
        self.name = name
        self.text = text
    }

    /// All files of a directory in order. Numbers rise; a gap does no harm.
    package static func all(in directory: String) throws(MigrationError) -> [MigrationFile] {
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: directory).filter { $0.hasSuffix(".sql") }
                .sorted()
        } catch {
            throw .unreadable(path: directory)
        }
        var files: [MigrationFile] = []
        for fileName in names {
            let name = String(fileName.dropLast(4))
            guard name.utf8.count > 5, name.utf8.dropFirst(4).first == UInt8(ascii: "_"),
                let number = Int(name.prefix(4))
            else { throw .badName(file: fileName) }
            if let last = files.last, number <= last.number { throw .numberTaken(file: fileName) }
            guard let data = FileManager.default.contents(atPath: directory + "/" + fileName) else {
                throw .unreadable(path: directory + "/" + fileName)
            }
            files.append(MigrationFile(number: number, name: name, text: String(decoding: data, as: UTF8.self)))
        }
        return files
    }
}

/// Why the database cannot be brought up to date.
package enum MigrationError: Error, Sendable, Equatable {
    case unreadable(path: String)
    case badName(file: String)
    /// Two files have the same number.
    case numberTaken(file: String)
    /// The database has a migration that the files do not have at that place: it belongs to a newer version.
    case notAPrefix(applied: String, declared: String?)
    /// A file was changed after it had been applied.
    case changed(file: String)
    case failed(file: String, line: Int, statement: String, refusal: ServerRefusal)
    /// The file ended its transaction by itself.
    case leftTransaction(file: String)
}

extension MigrationError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .unreadable(let path): "\(path) cannot be read."
        case .badName(let file): "migrations/\(file): a migration is called NNNN_name.sql."
        case .numberTaken(let file):
            "migrations/\(file): another migration has the same number."
        case .notAPrefix(let applied, let declared?):
            "The database has applied \(applied) where this version has \(declared). It belongs to another version."
        case .notAPrefix(let applied, nil):
            "The database has applied \(applied), which this version does not know. Run the newer version."
        case .changed(let file):
            "migrations/\(file).sql was changed after it had been applied. Put it back and write a new migration."
        case .failed(let file, let line, let statement, let refusal):
            "migrations/\(file).sql:\(line): SQLSTATE \(refusal.sqlState): \(refusal.message)\n    \(statement)"
        case .leftTransaction(let file):
            "migrations/\(file).sql ended the transaction it runs in. Leave BEGIN and COMMIT out."
        }
    }
}
