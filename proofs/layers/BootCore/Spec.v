(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 19, BootCore: two allocators that only grow, fresh numbers of VMs and fresh
    ranges of KCore's addresses.  One pure transition of the counters for each, and one
    step under their lock; [Safe] proves that nothing is handed out twice.  Stands on
    VMPower. *)
From SeKVM.layers.VMPower Require Export Spec.
Local Open Scope string_scope.
Local Open Scope Z_scope.

(** The next number of a VM; none is left after 15. *)
Definition fresh_vmid (x : core_data) : option (Z * core_data) :=
  if is_guest (next_vmid x) then Some (next_vmid x, set_next_vmid (next_vmid x + 1) x) else None.

(** [n] pages of the addresses from [REMAP_START] to [REMAP_END]; at least one, and from a
    page on. *)
Definition fresh_range (n : Z) (x : core_data) : option (Z * core_data) :=
  let p := next_remap_ptr x in
  if (REMAP_START <=? p) && (p mod 4096 =? 0) && (1 <=? n) && (p + n * 4096 <=? REMAP_END)
  then Some (p, set_next_remap_ptr (p + n * 4096) x) else None.

Section BootCore.
  Context {N M P : Type}.
  Notation St := (St cell N M P).

  (** Lock the counters, which have their C types; publish them. *)
  Definition counters_typed (x : core_data) : bool := in_range U32 (next_vmid x) && in_range U64 (next_remap_ptr x).
  Definition with_core (s : St) (k : cell core_data -> option (res St)) : option (res St) :=
    rely negb (c_held (st_core s));
    rely counters_typed (c_val (acquire_cell (st_core s)));
    k (acquire_cell (st_core s)).
  Definition publish_core (c : cell core_data) (r : Z) (s : St) : option (res St) :=
    ret r (set_core (release_cell (cpu_id (st_cpu s)) c) s).

  Definition gen_vmid_spec : prim St :=
    p0 (Some U32) (fun s => with_core s (fun c =>
      match fresh_vmid (c_val c) with
      | Some (v, x) => publish_core (set_val x c) v s
      | None => Some (Halt (set_core c s))
      end)).

  Definition alloc_remap_addr_spec : prim St :=
    p1 (Some U64) U64 (fun n s => with_core s (fun c =>
      match fresh_range n (c_val c) with
      | Some (p, x) => publish_core (set_val x c) p s
      | None => publish_core c 0 s
      end)).

  Definition T : tbl St := [("gen_vmid", gen_vmid_spec); ("alloc_remap_addr", alloc_remap_addr_spec)].

  (** What this layer's code uses. *)
  Definition U : tbl St := (T_lock_core ++ T_core ++ [("panic", panic)])%list.
End BootCore.
