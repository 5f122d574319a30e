import FoundationEssentials
import Glibc

/// Where PostgreSQL's server programs are.
struct ServerBinaries: Equatable {
    let directory: String
    /// Of the server, 15 for example; 0 when the path does not tell.
    let version: Int

    var initdb: String { directory + "/initdb" }
    var postgres: String { directory + "/postgres" }

    /// Debian's newest, else what stands in PATH. When the cluster exists it needs the version that made it.
    static func find(madeBy wanted: Int?) throws(EmbeddedPostgresError) -> ServerBinaries {
        let candidates: [ServerBinaries] = packaged() + inPath()
        guard let newest = candidates.first else {
            throw EmbeddedPostgresError(
                "No PostgreSQL server was found. Install it (Debian, Ubuntu: apt install postgresql) or set "
                    + "MARKETING_DATABASE_URL.")
        }
        guard let wanted else { return newest }
        if let same = candidates.first(where: { $0.version == wanted }) { return same }
        if let unknown = candidates.first(where: { $0.version == 0 }) { return unknown }
        throw EmbeddedPostgresError(
            "The data was made by PostgreSQL \(wanted), of which no server is installed. Install postgresql-\(wanted).")
    }

    private static func packaged() -> [ServerBinaries] {
        let root: String = "/usr/lib/postgresql"
        let names: [String] = (try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []
        let versions: [Int] = names.compactMap { Int($0) }.sorted(by: >)
        return versions.map { ServerBinaries(directory: "\(root)/\($0)/bin", version: $0) }.filter(\.isComplete)
    }

    private static func inPath() -> [ServerBinaries] {
        let path: String = getenv("PATH").map { String(cString: $0) } ?? ""
        return path.split(separator: ":").map { ServerBinaries(directory: String($0), version: 0) }
            .filter(\.isComplete)
    }

    private var isComplete: Bool {
        access(initdb, X_OK) == 0 && access(postgres, X_OK) == 0
    }
}
