import Core
import FoundationEssentials
import Glibc
import Logging
import Web

/// Writes log lines for somebody who watches them in a terminal: the time (UTC), what is not mere information, the
/// message, and what belongs to it.
///
///     21:13:17  listening  address=127.0.0.1:5178
///     21:13:22  warning: a mail server does not answer  host=mail.example.com
package struct TerminalLogHandler: LogHandler {
    package var logLevel: Logger.Level
    package var metadata: Logger.Metadata = [:]
    private let write: @Sendable ([UInt8]) -> Void

    package init(level: Logger.Level) {
        self.init(level: level, write: StandardOutput.write)
    }

    /// - Parameter write: takes whole lines with their line feed.
    init(level: Logger.Level, write: @escaping @Sendable ([UInt8]) -> Void) {
        logLevel = level
        self.write = write
    }

    /// Whether standard output is a terminal, so that somebody may be reading it.
    package static var isWatched: Bool { isatty(STDOUT_FILENO) == 1 }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        let time: Substring = ISO8601.format(Date()).dropFirst(11).prefix(8)
        let level: String = event.level == .info ? "" : "\(event.level.rawValue): "
        var line: String = "\(time)  \(level)\(event.message)"
        let all: Logger.Metadata = metadata.merging(event.metadata ?? [:]) { _, new in new }
        for (key, value) in all.sorted(by: { $0.key < $1.key }) { line += "  \(key)=\(value)" }
        write(Array("\(Self.printable(line))\n".utf8))
    }

    /// What came from outside must not move the cursor, change colours or begin a line of its own.
    private static func printable(_ line: String) -> String {
        String(
            String.UnicodeScalarView(
                line.unicodeScalars.map { scalar in
                    scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) ? " " : scalar
                }))
    }
}
