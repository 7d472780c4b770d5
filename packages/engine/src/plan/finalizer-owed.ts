/** Why a record is dirty whose finalizer has not said that it is done. */
export const finalizerOwedReason = "finalizer owed";
