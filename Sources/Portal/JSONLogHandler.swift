import FoundationEssentials
import Logging
import Web

/// Writes each log line as one JSON object on standard output.
package struct JSONLogHandler: LogHandler {
    package var logLevel: Logger.Level
    package var metadata: Logger.Metadata = [:]
    private let label: String
    private let write: @Sendable ([UInt8]) -> Void

    package init(label: String, level: Logger.Level) {
        self.init(label: label, level: level, write: StandardOutput.write)
    }

    /// - Parameter write: takes whole lines with their line feed.
    init(label: String, level: Logger.Level, write: @escaping @Sendable ([UInt8]) -> Void) {
        self.label = label
        logLevel = level
        self.write = write
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        var line: [UInt8] = []
        line.reserveCapacity(320)
        func add(_ key: String, _ value: String) {
            line.append(UInt8(ascii: line.isEmpty ? "{" : ","))
            Self.quote(key, to: &line)
            line.append(UInt8(ascii: ":"))
            Self.quote(value, to: &line)
        }
        add("time", ISO8601.format(Date()))
        add("level", event.level.rawValue)
        add("logger", label)
        add("message", event.message.description)
        let all = metadata.merging(event.metadata ?? [:]) { _, new in new }
        for (key, value) in all.sorted(by: { $0.key < $1.key }) { add(key, "\(value)") }
        line.append(contentsOf: "}\n".utf8)
        write(line)
    }

    private static func quote(_ text: String, to line: inout [UInt8]) {
        line.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                line.append(UInt8(ascii: "\\"))
                line.append(byte)
            case UInt8(ascii: "\n"): line.append(contentsOf: "\\n".utf8)
            case 0..<32: line.append(UInt8(ascii: " "))
            default: line.append(byte)
            }
        }
        line.append(UInt8(ascii: "\""))
    }
}
