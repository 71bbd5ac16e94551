/** What this server calls itself. */
export const REDBUN_VERSION = "0.1.0";
/** The Redis version whose behaviour it follows; clients and tools decide by this number. */
export const REDIS_VERSION = "7.2.6";
