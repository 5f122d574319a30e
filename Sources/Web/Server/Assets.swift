import Core
import Cryptography
import FoundationEssentials
import Hummingbird

/// The files of `Public/`, read once at start and served from memory under a path that names their content, so that
/// browsers may keep them for good.
package struct Assets: Sendable {
    struct File: Sendable {
        let bytes: [UInt8]
        let compressed: [UInt8]?
        let contentType: String
    }

    /// Names this set of files: the first bytes of a hash over all of them.
    package let fingerprint: String
    private let files: [String: File]

    /// - Throws: what reading the directory throws.
    package init(directory: String) throws {
        var files: [String: File] = [:]
        var digestInput: [UInt8] = []
        for path in try Self.paths(in: directory, prefix: "").sorted() {
            let bytes = Array(try Data(contentsOf: URL(filePath: "\(directory)/\(path)")))
            digestInput += Array(path.utf8) + SHA256.hash(bytes)
            let type = Self.contentType(of: path)
            let compressed = Self.isText(type) && bytes.count > Gzip.worthwhile ? Gzip.compress(bytes, level: 9) : nil
            files[path] = File(bytes: bytes, compressed: compressed, contentType: type)
        }
        self.files = files
        fingerprint = Hexadecimal.encode(SHA256.hash(digestInput).prefix(6))
    }

    /// No files at all, for tests of routes.
    package init() {
        files = [:]
        fingerprint = "none"
    }

    /// The URL of a file, or nil when there is none of that name.
    package func url(of path: String) -> String? {
        files[path] == nil ? nil : "/assets/\(fingerprint)/\(path)"
    }

    func response(to path: String, acceptsGzip: Bool) -> Response? {
        guard let file = files[path] else { return nil }
        var headers: HTTPFields = [
            .contentType: file.contentType, .cacheControl: "public, max-age=31536000, immutable",
            .vary: "Accept-Encoding",
        ]
        var bytes = file.bytes
        if acceptsGzip, let compressed = file.compressed {
            bytes = compressed
            headers[.contentEncoding] = "gzip"
        }
        return Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
    }

    private static func paths(in directory: String, prefix: String) throws -> [String] {
        var found: [String] = []
        for name in try FileManager.default.contentsOfDirectory(atPath: directory) where !name.hasPrefix(".") {
            let path = "\(directory)/\(name)"
            var isDirectory = false
            guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else { continue }
            if isDirectory {
                found += try paths(in: path, prefix: "\(prefix)\(name)/")
            } else {
                found.append(prefix + name)
            }
        }
        return found
    }

    private static func contentType(of path: String) -> String {
        switch path.split(separator: ".").last {
        case "css": "text/css; charset=utf-8"
        case "js": "text/javascript; charset=utf-8"
        case "svg": "image/svg+xml"
        case "png": "image/png"
        case "ico": "image/x-icon"
        case "txt": "text/plain; charset=utf-8"
        case "json", "webmanifest": "application/json"
        default: "application/octet-stream"
        }
    }

    private static func isText(_ contentType: String) -> Bool {
        contentType.hasPrefix("text/") || contentType.hasPrefix("image/svg")
            || contentType.hasPrefix("application/json")
    }
}
