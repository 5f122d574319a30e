import Foundation

/// The view files of a directory.
struct ViewDirectory: Sendable {
    let path: String

    init(_ path: String) {
        self.path = path
    }

    /// When a file was last changed, and how long it is.
    struct Stamp: Sendable, Equatable {
        let changed: Date?
        let size: Int?
    }

    /// Paths under the directory, sorted.
    func files() throws(ViewErrors) -> [String] {
        do {
            let paths: [String] = try FileManager.default.subpathsOfDirectory(atPath: path)
            return paths.filter { $0.hasSuffix(".html") || $0.hasSuffix(".txt") }.sorted()
        } catch {
            throw ViewErrors(general: "the directory of views '\(path)' cannot be read")
        }
    }

    /// A stamp for every file, to see whether anything changed.
    func stamps() throws(ViewErrors) -> [String: Stamp] {
        var stamps: [String: Stamp] = [:]
        for file in try files() {
            var information = stat()
            let found: Bool = stat("\(path)/\(file)", &information) == 0
            let time: Date? = found ? Self.date(information) : nil
            stamps[file] = Stamp(changed: time, size: found ? Int(information.st_size) : nil)
        }
        return stamps
    }

    private static func date(_ information: stat) -> Date {
        #if os(Linux)
            let time: timespec = information.st_mtim
        #else
            let time: timespec = information.st_mtimespec
        #endif
        return Date(timeIntervalSince1970: Double(time.tv_sec) + Double(time.tv_nsec) / 1e9)
    }

    /// The text of every file by its path.
    func sources() throws(ViewErrors) -> [String: String] {
        var sources: [String: String] = [:]
        var errors: [TemplateError] = []
        for file in try files() {
            if let data = FileManager.default.contents(atPath: "\(path)/\(file)"),
                let text = String(validating: data, as: UTF8.self)
            {
                sources[file] = text
            } else {
                errors.append(
                    TemplateError(
                        name: "Views/\(file)", line: 1, column: 1, message: "this file cannot be read as UTF-8",
                        sourceLine: ""))
            }
        }
        if !errors.isEmpty { throw ViewErrors(errors) }
        return sources
    }
}
