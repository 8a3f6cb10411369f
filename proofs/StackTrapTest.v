(* SPDX-License-Identifier: Apache-2.0 *)
(** The premise of [StackTrapSafe] can be met, by a machine on which another CPU is busy too, and is needed: examples
    by computation.  Rests on [StackTrapSafe] and the machine of [StackUpperTest]. *)
From SeKVM.lib Require Import Calls.
From SeKVM.machine Require Import Init CellInv BottomVmTac.
From SeKVM.layers.TrapHandler Require Import Interface.
From SeKVM Require Import StackUpper StackUpperTest StackTrapSafe.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Example start_runs : host_runs start.
Proof. split; [exact start_whole | reflexivity]. Qed.

(** The host calls [name] with [r] in its registers; what x0 is afterwards. *)
Definition makes (name : ident) (r : regfile) (s : hstate) : option (res Z) :=
  match call TrapHandler.Interface.L name [] (put_regs r s) with
  | Some (Ok _ t) => Some (Ok 0 (reg_word X0 (phys_regs t)))
  | Some (Halt _) => Some (Halt 0)
  | None => None
  end.

(** A new VM: its number is 2, CPU 3 took 1 before.  A number that is no call, and VM 16, are refused; an SMMU that
    the firmware does not know is a panic. *)
Example answered :
  makes "host_hvc_handler" {[ X0 := 24 ]} start = Some (Ok 0 2) /\
  makes "host_hvc_handler" {[ X0 := 99 ]} start = Some (Ok 0 REFUSED) /\
  makes "host_hvc_handler" (<[X0 := 17]> {[ X1 := 16 ]}) start = Some (Ok 0 REFUSED) /\
  makes "host_hvc_handler" (<[X0 := 19]> (<[X1 := 1]> (<[X2 := 1]> {[ X3 := 1 ]}))) start = Some (Halt 0).
Proof. repeat split; vm_compute; reflexivity. Qed.

(** A fault of the host at the first page. *)
Example faulted : makes "host_npt_handler" {[ X0 := 7 ]} start = Some (Ok 0 7).
Proof. vm_compute. reflexivity. Qed.

(** While this CPU holds the lock of the counters, a call has no meaning, nor if a VM's record cannot be. *)
Example lock_needed : makes "host_hvc_handler" {[ X0 := 24 ]} (set_core (acquire_cell (st_core start)) start) = None.
Proof. vm_compute. reflexivity. Qed.
Example record_needed : makes "host_hvc_handler" (<[X0 := 17]> {[ X1 := 1 ]}) unverified = None.
Proof. vm_compute. reflexivity. Qed.
(** The context of a vCPU that this CPU has is not renewed; the record says that no vCPU is active. *)
Example context_needed :
  makes "host_hvc_handler" (<[X0 := 25]> {[ X1 := 1 ]})
    (set_ctxts (<[8 := acquire_cell (free_cell ∅ [])]> (st_ctxts start)) start) = None.
Proof. vm_compute. reflexivity. Qed.
